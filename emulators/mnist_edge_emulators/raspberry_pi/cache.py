"""Folders in the user's cache that are made once: whole or not at all, however many processes ask at the same time."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

__all__ = ["folder", "kept"]

_UNUSED_SECONDS = 14 * 24 * 3600


def folder() -> Path:
    """Return where everything of the boards is kept: $MNIST_EDGE_BOARDS, else below $XDG_CACHE_HOME or ~/.cache."""
    if named := os.environ.get("MNIST_EDGE_BOARDS"):
        return Path(named).resolve()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mnist-edge" / "boards"


def kept(name: str, make: Callable[[Path], None]) -> Path:
    """Return the folder `name`, "KIND-HASH", of the cache; where it is not there, `make` fills a new one first.

    Another process that wants it waits. What is half made goes away with an exception, and after a kill with the next
    try. Folders of the same kind that nobody used for two weeks are removed when a new one is made.
    """
    home = folder()
    target = home / name
    if not target.is_dir():
        home.mkdir(parents=True, exist_ok=True)
        with (home / f".{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not target.is_dir():
                for leftover in home.glob(f".{name}.new-*"):
                    shutil.rmtree(leftover)
                _make(target, make)
                _forget(target)
    os.utime(target)
    return target


def _make(target: Path, make: Callable[[Path], None]) -> None:
    new = Path(tempfile.mkdtemp(prefix=f".{target.name}.new-", dir=target.parent))
    try:
        make(new)
        new.chmod(0o755)
        new.rename(target)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise


def _forget(target: Path) -> None:
    kind = target.name.rpartition("-")[0]
    for other in target.parent.glob(f"{kind}-*"):
        if time.time() - other.stat().st_mtime > _UNUSED_SECONDS:
            shutil.rmtree(other, ignore_errors=True)
            other.with_name(f".{other.name}.lock").unlink(missing_ok=True)
