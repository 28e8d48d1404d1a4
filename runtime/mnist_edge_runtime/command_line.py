"""End a command line the same way on the device and on the workstation: one line of error, one exit code."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress

from .errors import InputError, describe
from .text_output import printable

__all__ = ["print_error", "run"]


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
        print_error(message)
        if isinstance(error, OSError):
            _drop_stdout()
        return code


def print_error(message: object) -> None:
    """Print an error on stderr, in one line unless it has several of its own."""
    print(f"error: {printable(str(message), keep=chr(10))}", file=sys.stderr, flush=True)


def _drop_stdout() -> None:
    """Send what is still to be written nowhere: at the end of the process it would fail once more."""
    if sys.stdout is None:
        return
    with suppress(OSError, ValueError):  # where a program that calls this has put something else in its place
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
