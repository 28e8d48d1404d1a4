"""Make a folder of the user's cache once: complete or not at all, however many processes ask at the same time."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from mnist_edge_runtime.files import atomic_path
from mnist_edge_runtime.host import cache_folder

__all__ = ["cached", "folder"]

_UNUSED_SECONDS = 14 * 24 * 3600  # seconds after which a folder that nothing used is removed


def folder() -> Path:
    """Return the folder of all emulators: $MNIST_EDGE_EMULATORS, else one in the cache of this user."""
    if named := os.environ.get("MNIST_EDGE_EMULATORS"):
        return Path(named).resolve()
    return cache_folder() / "emulators"


def cached(name: str, make: Callable[[Path], None]) -> Path:
    """Return the folder `name`, "KIND-HASH", of the cache; where it does not exist, `make` fills a new one first.

    Another process that wants the same folder waits. A half-made folder is removed when `make` raises, and after a
    kill by the next call. Folders of the same kind that nothing used for two weeks are removed when a new one is made.
    """
    home = folder()
    target = home / name
    if not target.is_dir():
        home.mkdir(parents=True, exist_ok=True)
        with (home / f".{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not target.is_dir():
                for leftover in home.glob(f".*.{name}"):
                    shutil.rmtree(leftover)
                with atomic_path(target) as new:
                    new.mkdir()
                    make(new)
                _remove_unused(target)
    os.utime(target)
    return target


def _remove_unused(target: Path) -> None:
    """Remove folders of the same kind as `target` that nothing used for two weeks."""
    kind = target.name.rpartition("-")[0]
    for other in target.parent.glob(f"{kind}-*"):
        if time.time() - other.stat().st_mtime > _UNUSED_SECONDS:
            shutil.rmtree(other, ignore_errors=True)
            other.with_name(f".{other.name}.lock").unlink(missing_ok=True)
