"""Processes that are measured in turns, so that a machine that grows warm or busy meanwhile treats them alike.

Each file runs on its engine in a process of its own: engines do not always bear each other, one that crashes must not
take the others with it, and memory is counted for a process.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType

from ..errors import EngineError

__all__ = ["Child", "failure"]


class Child:
    """A process that prints a line when it is ready and after each turn, and at its end a result.

    A turn begins with a line on the child's stdin, the word of the turn; the end of stdin is the end of turns.
    """

    def __init__(self, command: Sequence[str], *, engine: str) -> None:
        """Start it; `engine` is the one to name when it fails."""
        self._engine = engine
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, bufsize=0, stdin=pipe, stdout=pipe, stderr=pipe)

    def wait(self) -> None:
        """Wait for the line that says that it is ready.

        Raises:
            EngineError: it ended instead.
        """
        assert self._process.stdout
        if not self._process.stdout.readline():
            message = self._process.communicate()[1].decode(errors="replace")
            raise failure(self._engine, self._process.returncode, message)

    def take_turn(self, word: str = "") -> None:
        """Let it have a turn; raises EngineError if it ended instead."""
        assert self._process.stdin
        with suppress(BrokenPipeError):  # it is dead, and why will be read below
            self._process.stdin.write(f"{word}\n".encode())
        self.wait()

    def result(self) -> str:
        """End its turns and return what it has to say; raises EngineError if that is nothing."""
        result, message = self._process.communicate()
        if self._process.returncode:
            raise failure(self._engine, self._process.returncode, message.decode(errors="replace"))
        return result.decode()

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.__exit__(kind, error, traceback)


def failure(engine: str, code: int, message: str) -> EngineError:
    """Return the error that a child's exit code and its last words on stderr amount to."""
    if code < 0:
        return EngineError(f"{engine} crashed over the file (signal {-code})")
    lines = message.strip().splitlines()
    return EngineError(lines[-1] if lines else f"{engine} ended with exit code {code}")
