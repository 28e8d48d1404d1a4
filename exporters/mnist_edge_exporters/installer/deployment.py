"""Install a bundle that arrives on standard input, for `mnist-edge deploy`.

This package's source is sent to the host through ssh and needs Python alone, 3.8 or newer, so that an old one can say
what it lacks. It answers in lines of JSON behind MARK.

The host owns the transaction: the end of its input before the new version is in use means that the workstation is gone,
and is answered with a rollback. So a dropped connection leaves no partial installation.

The keys of an answer: `before`, `now`, `about` and `busy` of the host as it is found, `event` for a step that begins or
has ended, `done` with "installed" or "already installed", `error` for a failure. An order with the key `status` changes
nothing: the answers say what is in use, and `done` is the first line of its self-test.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import select
import shutil
import signal
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from . import checks, layout, signature, transaction, versions
from .errors import InstallError

__all__ = ["MARK", "main"]

MARK = b"mnist-edge: "
_CHUNK = 1 << 16
_SILENCE = 120.0  # seconds without a byte of the bundle after which the connection counts as lost


class _GoneError(Exception):
    """The workstation is gone."""


def main(order: Any) -> None:
    """Execute an order, whose keys are those of `Plan.order`, or `prefix` and `status`."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _gone)
    prefix = Path(os.path.expanduser(order["prefix"] or "~/.local/share/mnist-edge")).absolute()
    try:
        if "status" in order:
            _prove(prefix)
        elif _check(prefix, order):
            _deploy(prefix, order)
    except InstallError as error:
        _say(error=str(error))
    except OSError as error:
        _say(error=f"{error.filename or prefix}: {error.strerror or error}")
    except subprocess.CalledProcessError as error:
        _say(error=f"installed, but this failed: {' '.join(error.cmd)}")
    except _GoneError:
        _say(error="stopped")


def _prove(prefix: Path) -> None:
    """Report what is in use, and run its self-test again."""
    current = layout.linked(prefix, "current")
    _say(now=current)
    if current is None:
        raise InstallError(3, f"{prefix}: nothing is installed there; deploy a bundle to it")
    folder = prefix / "versions" / current
    try:
        digest, about = versions.model_sha256(folder), versions.manifest(folder)
        _say(model_sha256=digest, **{key: about.get(key) for key in ("model", "engine", "runtime")})
        with _stopped_when_input_ends():
            passed, line = versions.selftest(folder)
        if not passed:
            raise InstallError(5, f"its self-test fails: {line}")
    except InstallError as error:
        raise InstallError(error.code, f"{error}; deploy its bundle to it again") from None
    _say(done=line)


def _check(prefix: Path, order: Any) -> bool:
    """Report what is there, and return whether the bundle is to be installed."""
    current = layout.linked(prefix, "current")
    place = prefix
    while not os.path.lexists(place):
        place = place.parent
    about = f"Python {platform.python_version()}, {platform.machine()}"
    busy = place == prefix and transaction.is_busy(prefix)
    _say(before=current, now=current, about=about, busy=busy)
    if busy:
        raise InstallError(3, f"{prefix}: another installation is at work there; wait for it")
    checks.check_machine(order["manifest"])
    if transaction.is_unfinished(prefix):
        _say(event="an installation was cut off there before; it is undone first")
    elif current == order["identity"]:
        with _stopped_when_input_ends():
            passed, line = versions.selftest(prefix / "current")
        if passed and not signature.is_asked_for():
            _say(done="already installed")
            return False
        if not passed:
            _say(event=f"the same bundle is installed, but its self-test fails: {line}; it is installed again")
    if not place.is_dir():
        raise InstallError(3, f"{place}: no folder; choose another --prefix")
    layout.check(prefix)
    if not os.access(place, os.W_OK | os.X_OK):
        raise InstallError(
            3, f"{place}: this user may not write there; choose another --prefix, or log in as its owner"
        )
    free = shutil.disk_usage(place).free
    if free < order["needed"]:
        needed = f"needs {order['needed'] / 1e6:.1f} MB, and {free / 1e6:.1f} MB are free"
        raise InstallError(3, f"{place}: the deployment {needed}; make room and start again")
    return True


def _deploy(prefix: Path, order: Any) -> None:
    """Receive the bundle and install it, or leave everything as it was."""
    _say(event="ready")
    first = _read(min(order["size"], _CHUNK))
    if not first:
        return  # a dry run ends here
    try:
        with transaction.begin(prefix) as stage:
            stage.mkdir()
            bundle = _receive(first, stage, order)
            _say(event="installing")
            with _stopped_when_input_ends():
                identity = checks.check_files(bundle)
                counter = signature.check(bundle, prefix)
                sentence = transaction.install(bundle, prefix, identity, tell=lambda line: _say(event=line))
                signature.keep(prefix, counter)
    except BaseException:
        _say(now=layout.linked(prefix, "current"))
        raise
    _say(event=sentence)
    _say(now=identity, done=sentence.partition(":")[0])  # installed, or already installed


def _receive(first: bytes, stage: Path, order: Any) -> Path:
    """Write the bundle into the folder `stage`, unpack it there, and return its folder."""
    packed, digest, left = stage / "bundle.tar.gz", hashlib.sha256(), order["size"]
    with packed.open("wb") as file:
        part = first
        while part:
            digest.update(part)
            file.write(part)
            left -= len(part)
            part = _read(min(left, _CHUNK)) if left else b""
    if left:
        raise _GoneError
    if digest.hexdigest() != order["sha256"]:
        raise InstallError(4, "the SHA-256 of what arrived is not that of what was sent; start again")
    with tarfile.open(packed) as archive:
        # The names were checked before it was sent; newer Pythons want to be told how far to trust them.
        archive.extraction_filter = getattr(tarfile, "data_filter", lambda member, path: member)
        archive.extractall(stage)
    packed.unlink()
    return stage / order["folder"]


@contextlib.contextmanager
def _stopped_when_input_ends() -> Iterator[None]:
    """Raise _GoneError in the block when the input ends: nothing comes through it now."""
    done, end = os.pipe()

    def wait() -> None:
        ready, _, _ = select.select([0, done], [], [])
        if done not in ready:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)

    watcher = threading.Thread(target=wait)
    watcher.start()
    try:
        yield
    finally:
        os.close(end)
        watcher.join()
        os.close(done)


def _read(size: int) -> bytes:
    """Return some bytes of the input, none at its end."""
    if not select.select([0], [], [], _SILENCE)[0]:
        raise _GoneError
    return os.read(0, size)


def _say(**answer: Any) -> None:
    with contextlib.suppress(OSError):  # the workstation is gone, which the end of the input shows as well
        os.write(1, MARK + json.dumps(answer).encode() + b"\n")


def _gone(number: int, frame: Any) -> NoReturn:
    raise _GoneError
