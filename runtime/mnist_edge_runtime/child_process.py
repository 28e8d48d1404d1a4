"""Run a Python module in a process of its own, and say in words how it ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

__all__ = ["ChildResult", "LineProcess", "child_environment", "how_it_ended", "run_code", "run_module", "safe_path"]


_SAFE_PATH = "PYTHONSAFEPATH"  # a variable of Python


@dataclass(frozen=True)
class ChildResult:
    """How a child process ended.

    Attributes:
        code: the exit code; minus the signal's number where a signal ended it; None where it was stopped at its limit.
        stdout, stderr: what it printed.
    """

    code: int | None
    stdout: str
    stderr: str

    @property
    def reason(self) -> str:
        """The last line on stderr; where there is none, or a signal or the limit ended it, how it ended."""
        lines = self.stderr.strip().splitlines()
        if self.code is None or self.code < 0 or not lines:
            return how_it_ended(self.code)
        return lines[-1].removeprefix("error: ")


class LineProcess:
    """A Python module in a process of its own that answers each line on its stdin with one on its stdout, in order."""

    def __init__(self, module: str, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        """Start `python -m MODULE ARGUMENTS`; `environment` is added to that of this process."""
        command = [sys.executable, "-m", module, *arguments]
        # A pipe that nobody reads would stop the child when it is full.
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            env={**child_environment(), **(environment or {})},
            encoding="utf-8",
        )

    def send(self, line: str) -> None:
        """Send a line, which the child may read later; one that has ended is noticed when its answer is awaited."""
        assert self._process.stdin
        with suppress(BrokenPipeError):
            self._process.stdin.write(f"{line}\n")
            self._process.stdin.flush()

    def receive(self) -> str | None:
        """Wait for the next answer and return it; None where the child ended before it had answered."""
        assert self._process.stdout
        line = self._process.stdout.readline()
        return line.removesuffix("\n") if line.endswith("\n") else None

    def ended(self) -> ChildResult:
        """Wait for the end of the child and return how it ended."""
        code = self._process.wait()
        self._stderr.seek(0)
        return ChildResult(code, "", self._stderr.read().decode(errors="replace"))

    def close(self) -> None:
        """Stop the child."""
        self._process.kill()
        with suppress(BrokenPipeError):  # of what it has not read
            self._process.communicate()
        self._stderr.close()


def run_module(module: str, *arguments: str, seconds: float | None = None) -> ChildResult:
    """Run `python -m MODULE ARGUMENTS` to its end, or stop it after `seconds`; whatever its exit code, return it."""
    return _run("-m", module, *arguments, seconds=seconds)


def run_code(code: str, *, seconds: float | None = None) -> ChildResult:
    """Run `python -c CODE` in the same way."""
    return _run("-c", code, seconds=seconds)


def _run(*arguments: str, seconds: float | None) -> ChildResult:
    command = [sys.executable, *arguments]
    try:
        result = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=seconds,
            env=child_environment(),
        )
    except subprocess.TimeoutExpired:
        return ChildResult(None, "", "")
    return ChildResult(result.returncode, result.stdout, result.stderr)


def child_environment() -> dict[str, str]:
    """Return the environment of a child, which finds no modules in the current folder where this process finds none.

    Python 3.10 does not know the variable that says so.
    """
    with safe_path():
        return dict(os.environ)


@contextmanager
def safe_path() -> Iterator[None]:
    """Where this process finds no modules in the current folder, let those that start in the block find none either."""
    before = os.environ.get(_SAFE_PATH)
    if not {"", os.getcwd()} & set(sys.path):
        os.environ[_SAFE_PATH] = "1"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(_SAFE_PATH, None)
        else:
            os.environ[_SAFE_PATH] = before


def how_it_ended(code: int | None) -> str:
    """Describe how a process with this exit code ended, such as "crashed (SIGSEGV)"."""
    if code is None:
        return "did not end in time"
    if code >= 0:
        return f"ended with exit code {code}"
    name = next((known.name for known in signal.Signals if known == -code), f"signal {-code}")
    return f"crashed ({name})"
