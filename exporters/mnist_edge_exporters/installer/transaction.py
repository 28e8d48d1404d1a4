"""Install a version atomically: it is built and tested beside the one in use, and taken into use by renaming a link.

Until `current` leads to the new version, everything can be undone by renaming and removing alone, which works on a full
disk, too. What to undo is read from the staging folder, so the next installation undoes one that was killed or lost its
power.

    PREFIX/.lock           locked by the installation that is at work
    PREFIX/.new/           its staging folder
        version/           the new version, while it is built
        placing            leads to its name, once it is renamed to PREFIX/versions/ID and tested there
        replaced/          a broken version of the same name, which comes back unless the new one passes its test
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from . import service
from .errors import InstallError
from .layout import LOCK, STAGE, is_version, link, linked
from .versions import build, selftest, summary

__all__ = ["begin", "go_back", "install", "is_busy", "is_unfinished"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def is_busy(prefix: Path) -> bool:
    """Return whether an installation is at work in the folder now."""
    try:
        lock = os.open(prefix / LOCK, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def is_unfinished(prefix: Path) -> bool:
    """Return whether an installation was cut off in the folder; the next one undoes it first."""
    return (prefix / STAGE).is_dir()


@contextlib.contextmanager
def begin(prefix: Path) -> Iterator[Path]:
    """Lock the folder, making it if need be, and yield its staging folder, which is not there yet.

    At the end all is undone that was not taken into use; where nothing is installed, not even the folder is left.

    Raises:
        InstallError: another installation is at work there.
        OSError: the folder cannot be made or written to.
    """
    made = [folder for folder in (prefix, *prefix.parents) if not folder.exists()]
    handlers = {number: signal.getsignal(number) or signal.SIG_DFL for number in _SIGNALS}
    try:
        prefix.mkdir(parents=True, exist_ok=True)
        with _locked(prefix):
            try:
                _undo(prefix)
                yield prefix / STAGE
            finally:
                _ignore_signals()
                _undo(prefix)
                if os.listdir(prefix) == [LOCK]:
                    (prefix / LOCK).unlink()
    finally:
        for folder in made:
            with contextlib.suppress(OSError):  # it is installed, or somebody else has put something there
                folder.rmdir()
        for number, handler in handlers.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _locked(prefix: Path) -> Iterator[None]:
    """Lock out other installations for the block."""
    path = prefix / LOCK
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            is_mine = os.path.samestat(os.fstat(lock.fileno()), path.stat())
        except OSError:
            is_mine = False
        if not is_mine:  # the other one may have removed it at its end, just now
            raise InstallError(3, f"{prefix}: another installation is at work there; wait for it")
        yield


def _ignore_signals() -> None:
    """Let the next steps be done to their end; `begin` restores what signals do."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _undo(prefix: Path) -> None:
    """Remove what an installation made and did not take into use; may be cut off at any point and begun again."""
    versions, stage = prefix / "versions", prefix / STAGE
    placing = linked(stage, "placing")
    if placing:
        if (stage / "replaced").is_dir():
            if (versions / placing).is_dir():
                shutil.rmtree(stage / "version", ignore_errors=True)
                os.rename(versions / placing, stage / "version")
            os.rename(stage / "replaced", versions / placing)
        elif placing not in (linked(prefix, "current"), linked(prefix, "previous")):
            shutil.rmtree(versions / placing, ignore_errors=True)
    shutil.rmtree(stage, ignore_errors=True)
    for name in ("current", "previous"):
        with contextlib.suppress(FileNotFoundError):
            (prefix / f".{name}").unlink()
    if linked(prefix, "current") is None:
        for folder in (versions, prefix / "installer"):
            with contextlib.suppress(OSError):  # there is none, or somebody else has put something there
                folder.rmdir()


def install(
    bundle: Path,
    prefix: Path,
    identity: str,
    *,
    restart: bool = True,
    tell: Callable[[str], object] = lambda line: None,
) -> str:
    """Take the bundle into use, inside of `begin`; whatever goes wrong, the version in use stays.

    Args:
        bundle: the unpacked bundle, whose files were checked.
        prefix: the folder to install into.
        identity: the name of its version.
        restart: whether a service that runs is restarted.
        tell: is called with the self-test's first line.

    Returns:
        A sentence that says what is in use, and what is left to do.

    Raises:
        InstallError: there is not enough room, the self-test fails, or the service cannot be restarted.
    """
    stage, folder = prefix / STAGE, prefix / "versions" / identity
    is_there = folder.is_dir() and selftest(folder)[0]
    if is_there and linked(prefix, "current") == identity:
        return f"already installed: {summary(prefix)}" + (service.restart(prefix) if restart else "")
    stage.mkdir(exist_ok=True)
    if not is_there:
        build(bundle, stage / "version")
        _place(prefix, identity)
        passed, line = selftest(folder)
        if not passed:
            raise InstallError(5, f"the self-test failed, so nothing was changed: {line}")
        tell(f"self-test {line}")
    scripts = ["install.sh", *(f"installer/{path.name}" for path in (bundle / "installer").glob("*.py"))]
    for script in scripts:
        (stage / "scripts" / script).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(bundle / script, stage / "scripts" / script)
    (prefix / "installer").mkdir(exist_ok=True)
    if (stage / "replaced").is_dir():
        os.rename(stage / "replaced", stage / "discarded")
    left = _take(prefix, identity, restart=restart)
    for script in scripts:
        os.replace(stage / "scripts" / script, prefix / script)
    for other in list((prefix / "versions").iterdir()):
        if is_version(other) and other.name not in (identity, linked(prefix, "previous")):
            os.rename(other, stage / other.name)  # removed with the staging folder
    return f"installed: {summary(prefix)}{left}"


def _place(prefix: Path, identity: str) -> None:
    """Move the new version to its final folder, where it is not in use yet: the self-test runs where it will stay."""
    versions, stage = prefix / "versions", prefix / STAGE
    versions.mkdir(exist_ok=True)
    (stage / "placing").symlink_to(identity)
    if (versions / identity).exists():
        os.rename(versions / identity, stage / "replaced")
    os.rename(stage / "version", versions / identity)


def go_back(prefix: Path) -> str:
    """Take the version before into use again, inside of `begin`, after its self-test; the two change places.

    Raises:
        InstallError: there is none, its self-test fails, or the service cannot be restarted.
    """
    before = linked(prefix, "previous")
    if before is None or before == linked(prefix, "current"):
        raise InstallError(3, f"{prefix}: there is no version before this one; to remove this one, remove that folder")
    passed, line = selftest(prefix / "versions" / before)
    if not passed:
        raise InstallError(5, f"the version before fails its self-test, so nothing was changed: {line}")
    left = _take(prefix, before, restart=True)
    return f"went back: {summary(prefix)}{left}"


def _take(prefix: Path, identity: str, *, restart: bool) -> str:
    """Let `current` lead to a tested version and `previous` to the one before; return what is left to do."""
    _ignore_signals()
    before = linked(prefix, "current")
    link(prefix, "current", identity)
    try:
        left = service.restart(prefix) if restart else ""
    except subprocess.CalledProcessError as error:
        if before:
            link(prefix, "current", before)
            with contextlib.suppress(subprocess.CalledProcessError):  # systemd's journal has the reason
                service.restart(prefix)
        else:
            (prefix / "current").unlink()
        raise InstallError(3, f"this failed, so nothing was changed: {' '.join(error.cmd)}") from None
    if before and before != identity and (prefix / "versions" / before).is_dir():
        link(prefix, "previous", before)
    return left
