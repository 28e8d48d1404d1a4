"""What a deployment may change on a host, and how it is all put back; runs there, beside `device`."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
from pathlib import Path

from mnist_edge_exporters.bundle.installer import InstallError, service, versions

__all__ = ["Transaction"]

# All that an installer writes below a prefix; what else lies there is never touched.
_OWN = ("versions", "installer", "install.sh", "mnist-edge.service", ".lock", "previous", "current")


class Transaction:
    """A deployment under way: what it brings lies in the folder `stage`, and only one at a time has a prefix.

    Raises:
        InstallError: another one has it.
        OSError: the prefix cannot be written.
    """

    def __init__(self, prefix: Path) -> None:
        self._prefix = prefix
        missing = [each for each in (prefix, *prefix.parents) if not each.exists()]
        self._made = missing[-1] if missing else None
        prefix.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(prefix, os.O_RDONLY)
        if not _lock(self._lock):
            raise InstallError(3, f"{prefix}: another deployment is at work there; wait for it")
        self.stage = prefix / ".deploy"
        self._before = self.stage / "before"
        self._current = versions.linked(prefix, "current")
        try:
            if self.stage.exists():
                shutil.rmtree(self.stage)  # what a machine that lost its power left
            self.stage.mkdir()
        except BaseException:
            self.undo()
            raise

    @staticmethod
    def is_busy(prefix: Path) -> bool:
        """Return whether a deployment has the prefix now."""
        descriptor = os.open(prefix, os.O_RDONLY)
        try:
            return not _lock(descriptor)
        finally:
            os.close(descriptor)

    def remember(self) -> None:
        """Keep all that the installer may replace or remove: as hard links, which take no room."""
        before = self.stage / "unfinished"
        before.mkdir()
        for name in _OWN:
            path = self._prefix / name
            if path.is_dir() and not path.is_symlink():
                shutil.copytree(path, before / name, symlinks=True, copy_function=os.link)
            elif os.path.lexists(path):
                os.link(path, before / name, follow_symlinks=False)
        before.rename(self._before)

    def undo(self) -> None:
        """Put back what was there, and remove the rest."""
        if self._before.is_dir():
            changed = versions.linked(self._prefix, "current") != self._current
            after = self.stage / "after"
            after.mkdir()
            for name in _OWN:  # the links last: what they lead to is there again by then
                if os.path.lexists(self._prefix / name):
                    os.rename(self._prefix / name, after / name)
                if os.path.lexists(self._before / name):
                    os.rename(self._before / name, self._prefix / name)
            if changed and self._current:
                # The files are as they were; if the service does not start again, systemd's journal has the reason.
                with contextlib.suppress(OSError, subprocess.CalledProcessError):
                    service.restart(self._prefix)
        shutil.rmtree(self.stage, ignore_errors=True)
        if self._made:
            shutil.rmtree(self._made, ignore_errors=True)
        os.close(self._lock)

    def finish(self) -> None:
        """Keep what was installed."""
        shutil.rmtree(self.stage, ignore_errors=True)
        os.close(self._lock)


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
