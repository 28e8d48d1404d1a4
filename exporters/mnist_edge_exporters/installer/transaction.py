"""What a deployment may change on a host, and how it is all put back; runs there, beside `device`."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
from pathlib import Path

from . import InstallError, service, versions

__all__ = ["Transaction"]

# All that an installer writes below a prefix; what else lies there is never touched.
_OWN = ("versions", "installer", "install.sh", "mnist-edge.service", ".lock", "previous", "current")
_STAGE = ".deploy"


class Transaction:
    """A deployment under way: what it brings lies in the folder `stage`, and only one at a time has a prefix.

    One that a loss of power left unfinished is undone first.

    Raises:
        InstallError: another one has it.
        OSError: the prefix cannot be written.
    """

    def __init__(self, prefix: Path) -> None:
        self._prefix = prefix
        self._made = [each for each in (prefix, *prefix.parents) if not each.exists()]
        prefix.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(prefix, os.O_RDONLY)
        if not _lock(self._descriptor):
            raise InstallError(3, f"{prefix}: another deployment is at work there; wait for it")
        self.stage = prefix / _STAGE
        self._before, self._after, self._names = (self.stage / name for name in ("before", "after", "names"))
        try:
            self._restore()
            if self.stage.exists():
                shutil.rmtree(self.stage)
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

    @staticmethod
    def is_unfinished(prefix: Path) -> bool:
        """Return whether a deployment was left there half done."""
        return (prefix / _STAGE / "before").is_dir()

    def remember(self) -> None:
        """Keep all that the installer may replace or remove: as hard links, which take no room."""
        before = self.stage / "unfinished"
        before.mkdir()
        self._after.mkdir()  # now, for the disk may be full when it is needed
        names = [name for name in _OWN if os.path.lexists(self._prefix / name)]
        self._names.write_text("\n".join(names))
        for name in names:
            path = self._prefix / name
            if path.is_dir() and not path.is_symlink():
                shutil.copytree(path, before / name, symlinks=True, copy_function=os.link)
            else:
                os.link(path, before / name, follow_symlinks=False)
        before.rename(self._before)

    def undo(self) -> None:
        """Put back what was there, and remove the rest."""
        self._restore()
        shutil.rmtree(self.stage, ignore_errors=True)
        with contextlib.suppress(OSError):  # somebody else has put something there meanwhile
            for folder in self._made:
                folder.rmdir()
        os.close(self._descriptor)

    def finish(self) -> None:
        """Keep what was installed."""
        self._before.rename(self.stage / "done")  # from here nothing is restored, not even half of it
        shutil.rmtree(self.stage, ignore_errors=True)
        os.close(self._descriptor)

    def _restore(self) -> None:
        """Put back what is remembered, if anything is; may be ended at any point and begun again."""
        if not self._before.is_dir():
            return
        current = versions.linked(self._prefix, "current")
        names = self._names.read_text().split("\n")
        for name in _OWN:  # the links last: what they lead to is there again by then
            place, kept = self._prefix / name, self._before / name
            if name in names and not os.path.lexists(kept):
                continue  # it is back already
            if os.path.lexists(place):
                _remove(self._after / name)  # of a restoration that was cut off
                os.rename(place, self._after / name)
            if name in names:
                os.rename(kept, place)
        if versions.linked(self._prefix, "current") not in (None, current):
            # The files are as they were; if the service does not start again, systemd's journal has the reason.
            with contextlib.suppress(OSError, subprocess.CalledProcessError):
                service.restart(self._prefix)


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif os.path.lexists(path):
        path.unlink()
