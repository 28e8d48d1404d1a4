"""Write files and folders atomically: a reader sees the old content or the new, never a part."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .errors import NO_SPACE

__all__ = ["atomic_path", "rename_new", "temporary_path"]

_OF_WRITES = (*NO_SPACE, errno.EFBIG)  # a full disk, or a file above the limit of its size


@contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside `target`, and rename what the block wrote there to `target` at its end.

    If the block raises, what it wrote is removed and `target` stays as it was. The temporary name begins with a dot
    and keeps the suffix of `target`. A folder may be written, too; it replaces only an empty folder.

    Raises:
        OSError: the block wrote nothing, or it cannot be renamed.
    """
    with temporary_path(target) as temporary:
        yield temporary
        os.replace(temporary, target)


@contextmanager
def temporary_path(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside `target`, and remove the file or folder that is there at the end of the block.

    For what is renamed within the block; `atomic_path` does so itself.
    """
    # A random part, not the process's number: in containers every process has the same.
    temporary = target.with_name(f".{os.urandom(4).hex()}.{target.name}")
    try:
        yield temporary
    except OSError as error:
        if error.errno in _OF_WRITES and not error.filename:  # a write, unlike opening, does not say where
            error.filename = str(target if error.errno == errno.EFBIG else target.parent)
        raise
    finally:
        if temporary.is_dir():
            shutil.rmtree(temporary, ignore_errors=True)
        else:
            temporary.unlink(missing_ok=True)


def rename_new(source: Path, target: Path) -> None:
    """Rename a file to a name that nothing has, not even as the rename takes place.

    Raises:
        FileExistsError: something is there, if only a link that leads nowhere.
        OSError: it cannot be renamed.
    """
    try:
        # Unlike a rename it replaces nothing. What is renamed is a link itself, where the system can do that.
        os.link(source, target, follow_symlinks=os.link not in os.supports_follow_symlinks)
    except FileExistsError:
        raise
    except OSError:  # a file system without a second name for a file
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from None
        os.rename(source, target)
        return
    try:
        source.unlink()
    except OSError:
        target.unlink()
        raise
