"""Run each engine in its own process and interleave them, so that thermal drift affects all equally.

Some engines cannot be loaded into one process; a crash must not end the others; and memory is counted per process.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType

from ..child_process import child_environment, how_it_ended
from ..errors import EngineError

__all__ = ["InterleavedProcess", "failure"]


class InterleavedProcess:
    """A process that prints a line when it is ready and after each turn, and at its end a result.

    A turn begins with a line on the child's stdin, the word of the turn; the end of stdin is the end of turns.
    """

    def __init__(self, command: Sequence[str], *, engine: str) -> None:
        """Start the command; `engine` is named in the error if it fails."""
        self._engine = engine
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            command, bufsize=0, stdin=pipe, stdout=pipe, stderr=pipe, env=child_environment()
        )

    def wait(self) -> None:
        """Wait until the process is ready.

        Raises:
            EngineError: it ended instead.
        """
        assert self._process.stdout
        if not self._process.stdout.readline():
            message = self._process.communicate()[1].decode(errors="replace")
            raise failure(self._engine, self._process.returncode, message)

    def take_turn(self, word: str = "") -> None:
        """Give the process a turn of the kind `word`, and wait for its end; raises EngineError if the process ended."""
        assert self._process.stdin
        with suppress(BrokenPipeError):  # it has ended; `wait` reads why
            self._process.stdin.write(f"{word}\n".encode())
        self.wait()

    def result(self) -> str:
        """End its turns and return its result; raises EngineError if it failed."""
        result, message = self._process.communicate()
        if self._process.returncode:
            raise failure(self._engine, self._process.returncode, message.decode(errors="replace"))
        return result.decode()

    def __enter__(self) -> InterleavedProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.__exit__(kind, error, traceback)


def failure(engine: str, code: int, message: str) -> EngineError:
    """Return the error for a child's exit code and the last line that it wrote on stderr."""
    lines = message.strip().splitlines()
    if code < 0 or not lines:
        return EngineError(f"{engine} {how_it_ended(code)} while running the file")
    return EngineError(lines[-1])
