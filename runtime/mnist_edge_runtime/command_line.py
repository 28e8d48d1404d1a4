"""End a command line the same way on the device and on the workstation: one line of error, one exit code."""

from __future__ import annotations

import io
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from .errors import InputError, MnistEdgeError, describe
from .text_output import printable

__all__ = ["open_streams", "print_error", "run", "tell"]


def run(
    command: Callable[[], int | None],
    name: str,
    *,
    debug: bool,
    worded: Callable[[Exception], Exception] = lambda error: error,
) -> int:
    """Run a command and return its exit code; print the error that ended it.

    Args:
        command: the command; returns its exit code.
        name: what it is called, of which the help is named where usage is wrong.
        debug: also print where an error comes from.
        worded: returns an error in our own words.
    """
    open_streams()
    try:
        if sys.stdout is None:
            raise InputError("stdout is closed; leave it open, or send it into a file")
        code = command() or 0
        sys.stdout.flush()  # here, where a full disk still is an error with words
        return code
    except BrokenPipeError:  # the reader of the answers closed the pipe, as in `... | head`
        _drop_stdout()
        return 141  # a shell's code for SIGPIPE
    except KeyboardInterrupt:
        return 130  # a shell's code for SIGINT; after Ctrl-C there is nothing to explain
    except Exception as error:
        if debug:
            traceback.print_exc()
        message, code = describe(worded(error), name)
        _print(f"error: {message}")
        if isinstance(error, OSError):
            _drop_stdout()
        return code


def open_streams() -> None:
    """Open what is closed of the three standard streams, and let stderr drop what cannot be written to it.

    A closed one would be taken by the next file that is opened, and a message that nobody gets must not cost an answer.
    Python's own stdin and stdout stay None where they were closed: to read or to write there is an error.
    """
    for stream in range(3):
        try:
            os.fstat(stream)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free
    if sys.stderr is sys.__stderr__:  # no other program, such as a test, has put its own there
        stderr = 2 if sys.stderr else os.open(os.devnull, os.O_WRONLY)
        encoding = sys.stderr.encoding if sys.stderr else "utf-8"
        raw = io.BufferedWriter(_Lossy(stderr, "wb", closefd=False))
        sys.stderr = io.TextIOWrapper(raw, encoding, errors="backslashreplace", line_buffering=True)


class _Lossy(io.FileIO):
    """A file that drops what cannot be written: it is full, its reader is gone, or is not as fast."""

    def write(self, data: Any) -> int:
        try:
            written = super().write(data)
        except OSError:
            written = None
        return len(data) if written is None else written


def tell(message: object) -> None:
    """Print a message on stderr, in one line whatever the names in it."""
    _print(printable(str(message)))


def print_error(error: object) -> None:
    """Print an error on stderr, in one line unless it is made of several."""
    _print(f"error: {describe(error)[0] if isinstance(error, MnistEdgeError) else printable(str(error))}")


def _print(text: str) -> None:
    if stderr := sys.stderr:
        stderr.write(f"{text}\n")  # together: other threads print as well
        stderr.flush()


def _drop_stdout() -> None:
    """Send what is still to be written nowhere: at the end of the process it would fail once more."""
    if sys.stdout is None:
        return
    with suppress(OSError, ValueError):  # where a program that calls this has put something else in its place
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
