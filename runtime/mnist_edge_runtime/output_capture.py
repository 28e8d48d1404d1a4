"""Suppress what engines and converters print: C++ code writes past Python's own streams."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from typing import IO

from .errors import MnistEdgeError

__all__ = ["hide_warnings", "silence_tiff", "suppress_output"]


def hide_warnings(arguments: Sequence[str]) -> None:
    """Print no library's warning, with its file and line, until this process ends.

    Unless --debug is among the arguments, or Python was started with -W or PYTHONWARNINGS.

    For command lines: what such a warning says is for the library's users, and ours can do nothing about it.
    """
    if "--debug" not in arguments and not sys.warnoptions:
        # Not a filter, since libraries set filters of their own.
        warnings.showwarning = lambda *unused, **options: None


@contextmanager
def suppress_output() -> Iterator[None]:
    """Capture the block's output on stdout and stderr; when the block fails unexpectedly, print it on stderr.

    The streams belong to the whole process: for command lines and converters, not for use beside other threads.
    """
    saved = {stream: copy for stream in (1, 2) if (copy := _duplicate(stream)) is not None}
    logging_level = logging.root.manager.disable
    unexpected = False
    with _scratch() as captured:
        _flush()
        for stream in saved:
            os.dup2(captured.fileno(), stream)
        logging.disable(max(logging.ERROR, logging_level))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield
        except Exception as error:
            unexpected = not isinstance(error, MnistEdgeError)
            raise
        finally:
            _flush()
            logging.disable(logging_level)
            for stream, copy in saved.items():
                os.dup2(copy, stream)
                os.close(copy)
            if unexpected and sys.stderr:
                captured.seek(0)
                sys.stderr.write(captured.read().decode(errors="replace"))


@cache
def silence_tiff(library: str) -> None:
    """Let Pillow, libtiff and the libjpeg in it print nothing on stderr: what is wrong is an exception all the same.

    Their own switches are used, since stderr belongs to all threads. Where logging is set up, Pillow's words go there.

    Args:
        library: the file of a library that was linked with libtiff, Pillow's.
    """
    import ctypes

    logging.getLogger("PIL").addHandler(logging.NullHandler())  # without any handler, errors are printed
    with suppress(AttributeError, OSError):  # Windows finds no function of a library behind another one
        ctypes.CDLL(library).TIFFSetErrorHandler(None)


def _duplicate(stream: int) -> int | None:
    """Return a second descriptor of the stream, none of the standard ones, None where there is no such stream."""
    try:
        copy = os.dup(stream)
    except OSError:
        return None
    if copy > 2:
        return copy
    try:  # it took the place of a standard stream that is closed
        return _duplicate(copy)
    finally:
        os.close(copy)


def _scratch() -> IO[bytes]:
    """Return a file to capture into; on a device whose disk is read-only the output is lost."""
    try:
        return tempfile.TemporaryFile()
    except OSError:
        return open(os.devnull, "w+b")


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream:
            stream.flush()
