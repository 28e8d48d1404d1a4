"""What runs on the host: it looks, takes the bundle from its input, installs it, and undoes it all if anything fails.

Its source goes there through ssh, with that of the bundle's installer, and needs Python alone, 3.8 or newer, so that an
old one is told what it lacks. It answers in lines of JSON behind MARK. It is the host that decides: until it has said
"installed", the end of its input means that nobody waits for it any more, and it undoes. So a connection that drops
leaves nothing behind, whoever is gone.

The keys of an answer: `before`, `now`, `about` and `busy` once it has looked, `event` for what begins, `done` with
"installed" or "already installed", `error` for a failure.
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
from pathlib import Path
from typing import Any, NoReturn

from . import InstallError, checks, versions
from .transaction import Transaction

__all__ = ["MARK", "main"]

MARK = b"mnist-edge: "
_CHUNK = 1 << 16
_SILENCE = 120.0  # seconds without a byte of the bundle after which the connection is taken for dead
_GRACE = 30.0  # seconds that an installer has to clean up


class _GoneError(Exception):
    """Nobody waits for this deployment any more."""


def main(order: Any) -> None:
    """Do what the order says: `prefix`, `identity`, `manifest`, `size`, `sha256`, `needed`, as `Plan` gives them."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _gone)
    prefix = Path(os.path.expanduser(order["prefix"] or "~/.local/share/mnist-edge")).absolute()
    try:
        if _look(prefix, order):
            _deploy(prefix, order)
    except InstallError as error:
        _say(error=str(error))
    except OSError as error:
        _say(error=f"{error.filename or prefix}: {error.strerror or error}")
    except _GoneError:
        _say(error="stopped")


def _look(prefix: Path, order: Any) -> bool:
    """Tell what is there, and return whether the bundle is to be installed."""
    current = versions.linked(prefix, "current")
    place = prefix
    while not os.path.lexists(place):
        place = place.parent
    about = f"Python {platform.python_version()}, {platform.machine()}"
    busy = place == prefix and Transaction.is_busy(prefix)
    _say(before=current, now=current, about=about, busy=busy)
    if busy:
        raise InstallError(3, f"{prefix}: another deployment is at work there; wait for it")
    checks.check_machine(order["manifest"])
    if Transaction.is_unfinished(prefix):
        _say(event="a deployment was cut off there before; it is undone first")
    elif current == order["identity"]:
        try:
            _selftest(prefix)
        except InstallError as error:
            _say(event=f"the same bundle is installed, but {error}; it is installed again")
        else:
            _say(done="already installed")
            return False
    if not place.is_dir():
        raise InstallError(3, f"{place}: no folder; choose another --prefix")
    versions.check_prefix(prefix)
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
    """Take the bundle and install it, or leave everything as it was."""
    _say(event="ready")
    first = _read(min(order["size"], _CHUNK))
    if not first:
        return  # it was only to look
    transaction = Transaction(prefix)
    try:
        bundle = _receive(first, transaction.stage, order)
        _say(event="installing")
        transaction.remember()
        _say(event=_install(bundle, prefix))
        _say(event=f"self-test {_selftest(prefix)}")
        if _is_gone():
            raise _GoneError
    except BaseException:
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        transaction.undo()
        _say(now=versions.linked(prefix, "current"))
        raise
    transaction.finish()
    _say(now=order["identity"], done="installed")


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
        raise InstallError(4, "what came is not what was sent: another SHA-256; start again")
    with tarfile.open(packed) as archive:
        # The names were checked before it was sent; newer Pythons want to be told how far to trust them.
        archive.extraction_filter = getattr(tarfile, "data_filter", lambda member, path: member)
        archive.extractall(stage)
    packed.unlink()
    return stage / order["folder"]


def _selftest(prefix: Path) -> str:
    """Return the first line that the installed command's self-test prints."""
    code, lines = _run([str(prefix / "current" / "bin" / "mnist-edge-runtime"), "selftest"])
    if code:
        raise InstallError(5, f"its self-test fails: {lines[0] if lines else f'exit code {code}'}")
    return lines[0] if lines else "passed"


def _install(bundle: Path, prefix: Path) -> str:
    """Let the bundle install itself, and return the sentence that it ends with."""
    code, lines = _run(["sh", str(bundle / "install.sh"), "--prefix", str(prefix)])
    said = [line for line in lines if line.startswith("error: ")] or lines or [f"exit code {code}"]
    if code:
        raise InstallError(code, said[-1].partition("error: ")[2] or said[-1])
    return said[-1]


def _run(command: list[str]) -> tuple[int, list[str]]:
    """Return the exit code and the lines of a command; end it, and all that it started, when nobody waits any more."""
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=subprocess.STDOUT, start_new_session=True
    )
    assert process.stdout
    output, said = process.stdout.fileno(), b""
    try:
        while True:
            ready, _, _ = select.select([0, output], [], [])
            if 0 in ready and _is_gone():
                raise _GoneError
            part = os.read(output, _CHUNK) if output in ready else None
            if part == b"":
                return process.wait(), said.decode(errors="replace").strip().splitlines()
            said += part or b""
    finally:
        for number in (signal.SIGTERM, signal.SIGKILL):
            if process.poll() is None:
                os.killpg(process.pid, number)
                try:
                    process.wait(_GRACE)
                except subprocess.TimeoutExpired:
                    continue
        process.stdout.close()


def _is_gone() -> bool:
    """Return whether the input has ended; nothing but the bundle ever comes through it."""
    return bool(select.select([0], [], [], 0)[0]) and not os.read(0, 1)


def _read(size: int) -> bytes:
    """Return some bytes of the input, none at its end."""
    if not select.select([0], [], [], _SILENCE)[0]:
        raise _GoneError
    return os.read(0, size)


def _say(**answer: Any) -> None:
    with contextlib.suppress(OSError):  # nobody listens, which the end of the input tells, too
        os.write(1, MARK + json.dumps(answer).encode() + b"\n")


def _gone(number: int, frame: Any) -> NoReturn:
    raise _GoneError
