"""Run a Python module in a process of its own, and say in words how it ended."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import dataclass

__all__ = ["ChildResult", "how_it_ended", "run_module"]


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


def run_module(module: str, *arguments: str, seconds: float | None = None) -> ChildResult:
    """Run `python -m MODULE ARGUMENTS` to its end, or stop it after `seconds`; whatever its exit code, return it."""
    command = [sys.executable, "-m", module, *arguments]
    try:
        result = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, timeout=seconds)
    except subprocess.TimeoutExpired:
        return ChildResult(None, "", "")
    return ChildResult(result.returncode, result.stdout, result.stderr)


def how_it_ended(code: int | None) -> str:
    """Describe how a process with this exit code ended, such as "crashed (SIGSEGV)"."""
    if code is None:
        return "did not end in time"
    if code >= 0:
        return f"ended with exit code {code}"
    name = next((known.name for known in signal.Signals if known == -code), f"signal {-code}")
    return f"crashed ({name})"
