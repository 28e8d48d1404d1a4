"""Write the systemd unit that reads the pictures of a folder as an unprivileged user, the folder's owner."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
from pathlib import Path

from .errors import InstallError

__all__ = ["restart", "unit", "write"]

_NAME = "mnist-edge.service"


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
    for path in (prefix, watched):
        if any(character in str(path) for character in '%$"\\\n'):
            raise InstallError(2, f"{path}: a name that systemd cannot take; choose another")
    user = pwd.getpwuid(owner)
    for folder in filter(Path.exists, (prefix, *prefix.parents)):
        if not _may_enter(user, folder):
            raise InstallError(
                2, f"--service {watched}: {user.pw_name} cannot enter {folder}; take e.g. --prefix /opt/mnist-edge"
            )
    text = (bundle / _NAME).read_text().replace("@PREFIX@", str(prefix)).replace("@WATCHED@", str(watched))
    return text.replace("@USER@", user.pw_name)


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
    subprocess.run(["systemctl", "try-restart", _NAME], check=True)
    return ""


def _may_control() -> bool:
    """Return whether this is root on a system that systemd runs."""
    return os.geteuid() == 0 and os.path.isdir("/run/systemd/system") and shutil.which("systemctl") is not None
