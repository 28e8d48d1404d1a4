"""Read the user and password of an MQTT broker from a file or the environment."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import InputError

__all__ = ["PASSWORD", "USER", "Login", "read"]

USER, PASSWORD = "MNIST_EDGE_MQTT_USER", "MNIST_EDGE_MQTT_PASSWORD"  # names of variables
_LARGEST = 4_096  # bytes of a file
_FORM = "it holds two lines, the user and the password"


@dataclass(frozen=True)
class Login:
    """A user and a password, which are shown nowhere."""

    user: str = field(repr=False)
    password: str = field(repr=False)


def read(file: Path | None, environment: Mapping[str, str]) -> Login | None:
    """Return the login in a file, or else in the environment; None where there is none.

    Raises:
        InputError: the file is not of two lines or is open to everybody, or one of the variables is missing.
        OSError: the file cannot be read.
    """
    if file is not None:
        return _in_file(file)
    user, password = environment.get(USER, ""), environment.get(PASSWORD, "")
    if bool(user) != bool(password):
        raise InputError(f"of {USER} and {PASSWORD} one is set and the other is not; set both or none")
    return Login(user, password) if user else None


def _in_file(file: Path) -> Login:
    with open(file, "rb") as stream:
        mode = os.fstat(stream.fileno()).st_mode
        if stat.S_ISREG(mode) and mode & stat.S_IRWXO:
            raise InputError(f"{file}: everybody on this machine can read it; take that right away: chmod o= {file}")
        content = stream.read(_LARGEST + 1)
    try:
        lines = content.decode().splitlines() if len(content) <= _LARGEST else []
    except UnicodeDecodeError:
        lines = []
    if len(lines) != 2 or not all(lines):
        raise InputError(f"{file}: is no login of a broker; {_FORM}")
    return Login(*lines)
