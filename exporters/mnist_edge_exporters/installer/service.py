"""Write the systemd unit that reads the pictures of a folder as the folder's owner, or answers over HTTP as nobody."""

from __future__ import annotations

import ipaddress
import json
import os
import pwd
import secrets
import shutil
import stat
import subprocess
from pathlib import Path
from typing import NamedTuple

from .errors import InstallError

__all__ = ["Address", "restart", "serving", "unit", "write"]

_NAME = "mnist-edge.service"
_SERVING = "mnist-edge-serve.service"  # its template for HTTP
_TOKEN = "token"


class Address(NamedTuple):
    """Where a service listens."""

    host: str = "127.0.0.1"
    port: int = 8028

    @classmethod
    def of(cls, text: str) -> Address:
        """Parse an IPv4 address, perhaps with a colon and a port behind it; raise ValueError if it is none."""
        host, colon, port = text.partition(":")
        if colon and not port.isdecimal():
            raise ValueError(f"port {port!r} is no number from 1024 to 65535")
        found = cls(str(ipaddress.IPv4Address(host)), int(port) if colon else cls().port)
        if not 1024 <= found.port <= 65535:
            raise ValueError(f"port {found.port} is not from 1024 to 65535")
        return found


def unit(bundle: Path, prefix: Path, watched: Path) -> str:
    """Return the unit that watches a folder.

    Raises:
        InstallError: there is no such folder, systemd cannot take a name, or its owner cannot be the service's user.
    """
    watched = watched.absolute()
    if not watched.is_dir():
        raise InstallError(3, f"--service {watched}: no such folder; make it, owned by the user of the service")
    owner = watched.stat().st_uid
    if owner == 0:
        raise InstallError(2, f"--service {watched}: it is root's, and the service runs as its owner; chown it first")
    _check_names(prefix, watched)
    try:
        user = pwd.getpwuid(owner)
    except KeyError:
        raise InstallError(
            2, f"--service {watched}: its owner, {owner}, is no user of this machine; chown it first"
        ) from None
    for folder in filter(Path.exists, (prefix, *prefix.parents)):
        if not _may_enter(user, folder):
            raise InstallError(
                2, f"--service {watched}: {user.pw_name} cannot enter {folder}; take e.g. --prefix /opt/mnist-edge"
            )
    text = (bundle / _NAME).read_text().replace("@PREFIX@", str(prefix)).replace("@WATCHED@", str(watched))
    return text.replace("@USER@", user.pw_name)


def serving(bundle: Path, prefix: Path, address: Address) -> tuple[str, str]:
    """Return the unit that answers over HTTP, and what is to be said of it; in a network it asks for a token.

    Raises:
        InstallError: the bundle lacks what it needs, systemd cannot take a name, or nobody may enter the prefix.
    """
    packages = json.loads((bundle / "bundle.json").read_bytes())["packages"]
    if "uvicorn" not in [package["name"] for package in packages]:
        raise InstallError(3, "--service serve: this bundle cannot; make one with: mnist-edge bundle --with serve")
    _check_names(prefix)
    for folder in filter(Path.exists, (prefix, *prefix.parents)):
        if not folder.stat().st_mode & stat.S_IXOTH:
            raise InstallError(
                2,
                f"--service serve: it runs as a user of its own, who cannot enter {folder}; "
                "take e.g. --prefix /opt/mnist-edge",
            )
    is_local = ipaddress.IPv4Address(address.host).is_loopback
    options = f"--host {address.host} --port {address.port}"
    told = f"; it is for http://{address.host}:{address.port}/"
    if not is_local:
        options += ' --token-file "${CREDENTIALS_DIRECTORY}/token"'
        told += f", for everybody in the network who has the token in {prefix / _TOKEN}"
    fields = {
        "PREFIX": str(prefix),
        "OPTIONS": options,
        "PORT": str(address.port),
        "CREDENTIAL": "# On this machine no token is needed."
        if is_local
        else f"LoadCredential=token:{prefix / _TOKEN}",
        "ADDRESSES": "IPAddressDeny=any\nIPAddressAllow=localhost" if is_local else "IPAddressAllow=any",
    }
    text = (bundle / _SERVING).read_text()
    for name, value in fields.items():
        text = text.replace(f"@{name}@", value)
    return text, told


def _make_token(prefix: Path) -> None:
    """Write a new token that only its owner may read, if there is none."""
    try:
        descriptor = os.open(prefix / _TOKEN, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with open(descriptor, "w") as file:
        file.write(f"{secrets.token_urlsafe(18)}\n")


def _check_names(*paths: Path) -> None:
    for path in paths:
        if any(character in str(path) for character in '%$"\\\n'):
            raise InstallError(2, f"{path}: a name that systemd cannot take; choose another")


def _may_enter(user: pwd.struct_passwd, folder: Path) -> bool:
    found = folder.stat()
    if found.st_uid == user.pw_uid:
        return bool(found.st_mode & stat.S_IXUSR)
    return bool(found.st_mode & (stat.S_IXGRP if found.st_gid == user.pw_gid else stat.S_IXOTH))


def write(prefix: Path, text: str) -> str:
    """Write the unit and, as root where systemd runs, start it; return what is left to do.

    Raises:
        CalledProcessError: systemd does not start it.
    """
    if "LoadCredential=" in text:
        _make_token(prefix)
    path = prefix / _NAME
    temporary = path.with_name(f".{_NAME}.new")
    temporary.write_text(text)
    os.replace(temporary, path)
    if not _may_control():
        return f"; to start the service: sudo systemctl enable --now {path}"
    for command in (["daemon-reload"], ["enable", str(path)], ["restart", _NAME]):
        subprocess.run(["systemctl", *command], check=True)
    return f"; the service {_NAME} runs"


def restart(prefix: Path) -> str:
    """Let a service that runs continue with the version now in use; return what is left to do.

    Raises:
        CalledProcessError: systemd does not restart it.
    """
    if not (prefix / _NAME).is_file():
        return ""
    if not _may_control():
        return f"; a service that runs takes it into use after: sudo systemctl restart {_NAME}"
    show = ["systemctl", "show", "--property", "LoadState", "--value", _NAME]
    if subprocess.run(show, capture_output=True, text=True).stdout.strip() == "not-found":  # it was disabled
        return f"; its service is not enabled: sudo systemctl enable --now {prefix / _NAME}"
    subprocess.run(["systemctl", "try-restart", _NAME], check=True)
    return ""


def _may_control() -> bool:
    """Return whether this is root on a system that systemd runs."""
    return os.geteuid() == 0 and os.path.isdir("/run/systemd/system") and shutil.which("systemctl") is not None
