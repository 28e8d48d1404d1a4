"""Check the paths that options name: no command waits for a pipe, or takes a file for a folder."""

from __future__ import annotations

import os
from pathlib import Path

from .errors import InputError
from .preprocessing.regular_files import FOLDER, special_kind

__all__ = ["check_file", "check_folder"]


def check_file(path: Path | None) -> Path | None:
    """Return a path that an option names, unless a file cannot lie there; nothing is opened, nothing waited for.

    Raises:
        InputError: there is a pipe, a socket or a device.
    """
    kind = special_kind(path) if path else None
    if kind and kind.name != FOLDER:
        raise InputError(f"{path}: is a {kind.name}, expected a regular file; write its content into one")
    return path


def check_folder(path: Path | None) -> Path | None:
    """Return a path that an option names, unless a folder cannot lie there.

    Raises:
        InputError: there is something else.
    """
    kind = special_kind(path) if path else None
    if path and (kind.name != FOLDER if kind else os.path.exists(path)):
        raise InputError(f"{path}: is a {kind.name if kind else 'file'}, expected a folder; name another one")
    return path
