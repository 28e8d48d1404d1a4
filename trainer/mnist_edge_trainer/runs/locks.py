"""Lock a run: one training of a name at a time, and no replacement while something made of it is published.

A lock is the kernel's, on a hidden file beside the run, runs/.NAME~training or runs/.NAME~publishing: it ends with its
process, however that ends. No run's name has a tilde.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import platform
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from mnist_edge_runtime.command_line import tell
from mnist_edge_runtime.errors import InputError

__all__ = ["publishing", "training"]

_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)  # some network file systems
_NOT_WRITABLE = (errno.EROFS, errno.EACCES, errno.ENOENT)
_LOCKED_BYTE = 1 << 30  # beyond the text, which others read while the byte is locked


@contextmanager
def training(runs_dir: Path, name: str) -> Iterator[None]:
    """Lock the name for a training while the block runs.

    Raises:
        InputError: another process is training a run of that name; the message says which, and since when.
    """
    made = not runs_dir.exists()
    runs_dir.mkdir(parents=True, exist_ok=True)
    try:
        with _locked(runs_dir / f".{name}~training", wait=False) as holder:
            if holder is not None:
                raise InputError(
                    f"{runs_dir / name}: is being trained by {holder}; wait for it, or choose another name with --name"
                )
            yield
    finally:
        if made:
            with contextlib.suppress(OSError):  # it is not empty
                runs_dir.rmdir()


@contextmanager
def publishing(folder: Path) -> Iterator[None]:
    """Keep the run in `folder` from being replaced while the block runs; wait for others that do so, which is short."""
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(_locked(folder.with_name(f".{folder.name}~publishing"), wait=True))
        except OSError as error:  # nothing can be published there, so that there is nothing to lock
            if error.errno not in _NOT_WRITABLE:
                raise
        yield


@contextmanager
def _locked(file: Path, *, wait: bool) -> Iterator[str | None]:
    """Lock a file that exists only while it is locked; yield None, or who has it if it is taken and `wait` is False."""
    descriptor = _open(file)
    try:
        while not _lock(descriptor, wait=wait) or not _is_there(file, descriptor):
            if not wait and _is_there(file, descriptor):
                yield _holder(descriptor)
                return
            os.close(descriptor)  # removed between opening and locking
            descriptor = _open(file)
        holder = {"process": os.getpid(), "host": platform.node(), "since": datetime.now().isoformat(" ", "seconds")}
        try:
            with contextlib.suppress(OSError):  # on a full disk, where the lock holds without it
                os.write(descriptor, json.dumps(holder).encode())
            yield None
        finally:
            with contextlib.suppress(OSError):  # Windows removes no open file; there it stays, unlocked
                file.unlink()
    finally:
        os.close(descriptor)


def _open(file: Path) -> int:
    return os.open(file, os.O_RDWR | os.O_CREAT, 0o666)


def _is_there(file: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(file), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _holder(descriptor: int) -> str:
    try:
        found = json.loads(os.pread(descriptor, 1000, 0) if sys.platform != "win32" else os.read(descriptor, 1000))
        return f"process {found['process']} on {found['host']} since {found['since']}"
    except (ValueError, KeyError, TypeError):  # it has locked the file and not yet written into it
        return "another process"


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int, *, wait: bool) -> bool:
        """Lock an open file; return False if another process has it and `wait` is False."""
        while True:
            os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
            try:
                msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
                os.lseek(descriptor, 0, os.SEEK_SET)
                return True
            except OSError:
                os.lseek(descriptor, 0, os.SEEK_SET)
                if not wait:
                    return False
                time.sleep(0.05)
else:
    import fcntl

    def _lock(descriptor: int, *, wait: bool) -> bool:
        """Lock an open file; return False if another process has it and `wait` is False."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            tell("WARNING: this file system has no locks; run one command at a time on its runs")
        return True
