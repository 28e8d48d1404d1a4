"""Put a run's folder in its place, recover one whose replacement was killed, and remove what killed processes left.

runs/
├── .1f2e3d4c.NAME     a run that is being written, or the one that it replaced
└── .1f2e3d4c.NAME~    the one that it replaces, where a file system cannot exchange two folders
"""

from __future__ import annotations

import ctypes
import errno
import os
import re
import shutil
import time
from pathlib import Path

from mnist_edge_runtime.errors import InputError

from . import locks

__all__ = ["move", "recover", "remove_leftovers", "replace"]

_TEMPORARY = re.compile(r"\.[0-9a-f]{8}\.(?P<name>.+?)(?P<old>~?)")
_CHECKPOINTS = re.compile(r"\..+\.[0-9a-f]{16}")  # folders of interrupted trainings (training/checkpoint.py)
_STALE = 3600.0  # seconds after which a hidden file, which is written in milliseconds, has no process any more
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2  # of Linux
_CANNOT_EXCHANGE = (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP)


def move(new: Path, folder: Path, *, overwrite: bool) -> Path:
    """Rename the folder `new` to the name of `folder`, or where that is taken to the next free one; return its path.

    Args:
        new: the finished folder.
        folder: where it is to be; if there is one, the next free one of FOLDER-2, FOLDER-3 ...
        overwrite: replace that one instead.
    """
    if overwrite and folder.exists():
        with locks.publishing(folder):
            replace(new, folder)
        return folder
    target, number = folder, 1
    while True:
        try:
            os.rename(new, target)
            return target
        except OSError:
            # The name is taken, perhaps by another process just now: a rename replaces only an empty folder.
            if not target.exists():
                raise
            number += 1
            target = folder.with_name(f"{folder.name}-{number}")


def replace(new: Path, folder: Path) -> None:
    """Put the folder `new` in the place of `folder`; under `locks.publishing`.

    A process that is killed here leaves one of both in its place, or what `recover` needs to put it there.
    """
    if _exchange(new, folder):
        shutil.rmtree(new, ignore_errors=True)
        return
    old = new.with_name(f"{new.name}~")
    os.rename(folder, old)
    os.rename(new, folder)
    shutil.rmtree(old, ignore_errors=True)


def recover(folder: Path) -> None:
    """Complete a replacement of `folder` that was killed between its two renames, if there was one."""
    if folder.exists() or not _replaced(folder):
        return
    with locks.publishing(folder):  # or the process is still between them
        for old in _replaced(folder):
            if not folder.exists():
                new = old.with_name(old.name.removesuffix("~"))
                os.rename(new if new.exists() else old, folder)


def remove_leftovers(runs_dir: Path, own: str) -> None:
    """Remove the hidden folders of trainings that were killed while they wrote their run, and the file of its lock.

    Args:
        runs_dir: the folder of all runs.
        own: the name whose training lock the caller has; folders of other names stay while those are being trained.
    """
    if (runs_dir / f".{own}~publishing").exists():
        with locks.publishing(runs_dir / own):  # which removes the lock's file at its end
            pass
    for path in list(runs_dir.glob(".*")):
        found = _TEMPORARY.fullmatch(path.name)
        if not found or _CHECKPOINTS.fullmatch(path.name):
            continue
        name = found["name"]
        if path.is_file():
            _remove_stale(path)
        elif name == own:
            _remove(path, runs_dir / name)
        else:
            try:
                with locks.training(runs_dir, name):
                    _remove(path, runs_dir / name)
            except InputError:
                continue


def _replaced(folder: Path) -> list[Path]:
    pattern = re.compile(rf"\.[0-9a-f]{{8}}\.{re.escape(folder.name)}~")
    return [path for path in folder.parent.glob(".*~") if pattern.fullmatch(path.name)]


def _remove(path: Path, folder: Path) -> None:
    recover(folder)
    shutil.rmtree(path, ignore_errors=True)


def _remove_stale(path: Path) -> None:
    try:
        if time.time() - path.stat().st_mtime > _STALE:
            path.unlink()
    except FileNotFoundError:
        pass  # its process is alive


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two folders atomically; return False where the system or the file system cannot."""
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, TypeError, OSError):
        return False
    if rename(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0:
        return True
    error = ctypes.get_errno()
    if error in _CANNOT_EXCHANGE:
        return False
    raise OSError(error, os.strerror(error), str(other))
