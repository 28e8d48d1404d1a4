"""Remove what killed exports left in a folder: files under temporary names, and candidates of which none was chosen.

Exports lock the folder, and share the lock with others that run at the same time; it is the kernel's, so that it ends
with its process, however that ends. Who has it alone is the only export there, and all that is temporary is left over.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["exporting"]

_TEMPORARY = re.compile(r"\.[0-9a-f]{8}\..+|\..+\.candidates")  # of `files.temporary_path`, and of `export_best`


@contextmanager
def exporting(folder: Path) -> Iterator[None]:
    """Make the folder, remove what killed exports left in it, and keep others from doing so while the block runs.

    Where the system or the file system has no such locks, nothing is removed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if sys.platform == "win32":
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            _remove_leftovers(folder, descriptor)
        yield
    finally:
        os.close(descriptor)


if sys.platform != "win32":
    import fcntl

    def _remove_leftovers(folder: Path, descriptor: int) -> None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for path in folder.iterdir():
                if _TEMPORARY.fullmatch(path.name):
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
        except BlockingIOError:
            pass  # another export runs here
        finally:  # or the next export would wait for this one's end
            fcntl.flock(descriptor, fcntl.LOCK_SH)
