"""Open regular files and nothing that could block: a folder, a pipe, a socket and a device have kinds of their own."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from ..errors import InputError
from .file_kinds import HEAD, FileKind, kind_of

__all__ = ["FOLDER", "kind_of_file", "open_regular", "special_kind"]

FOLDER = "folder"
_SPECIAL: tuple[tuple[Callable[[int], bool], FileKind], ...] = (
    (stat.S_ISDIR, FileKind(FOLDER, advice="name a file in it")),
    (stat.S_ISFIFO, FileKind("named pipe", advice="read it through stdin, with - as the name")),
    (stat.S_ISSOCK, FileKind("socket")),
    (stat.S_ISCHR, FileKind("device")),
    (stat.S_ISBLK, FileKind("device")),
)


def kind_of_file(path: str | Path) -> FileKind:
    """Return the kind of a file; a folder, a pipe, a socket and a device have kinds of their own.

    Raises:
        OSError: it is missing or cannot be read.
    """
    file = _open(path)
    if isinstance(file, FileKind):
        return file
    with file:
        return kind_of(file.read(HEAD))


def open_regular(path: str | Path) -> BinaryIO:
    """Open a regular file, or a link to one, for reading; nothing is waited for.

    Raises:
        OSError: it is missing or cannot be read.
        InputError: a folder, a pipe, a socket or a device.
    """
    file = _open(path)
    if isinstance(file, FileKind):
        raise InputError(f"a {file.name} and no file" + (f"; {file.advice}" if file.advice else ""))
    return file


def special_kind(path: str | Path) -> FileKind | None:
    """Return the kind of a folder, a pipe, a socket or a device; None for all else, also what is not there.

    Nothing is opened, so nothing is waited for.
    """
    try:
        return _special(os.stat(path).st_mode)
    except (OSError, ValueError):  # what opens it says so
        return None


def _open(path: str | Path) -> BinaryIO | FileKind:
    """Open a regular file, or return the kind of what is none."""
    if special := _special(os.stat(path).st_mode):
        return special  # to open some devices is to act on them
    # Without waiting, should it have become a pipe that nobody writes to.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    file = open(descriptor, "rb")  # noqa: SIM115  the caller closes it
    if special := _special(os.fstat(descriptor).st_mode):
        file.close()
        return special
    return file


def _special(mode: int) -> FileKind | None:
    """Return the kind of what is no regular file, by the mode that `os.stat` gives."""
    return next((kind for is_it, kind in _SPECIAL if is_it(mode)), None)
