"""Get the token of a service: from a file, from the environment, or a new one."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path

from ..errors import InputError

__all__ = ["VARIABLE", "generate", "given"]

VARIABLE = "MNIST_EDGE_TOKEN"
_FORM = re.compile(r"[A-Za-z0-9._~+/=-]{16,256}")
_ADVICE = 'make one with: python3 -c "import secrets; print(secrets.token_urlsafe())"'


def given(file: str | None) -> str | None:
    """Return the token in a file, or else in the environment; None where there is neither.

    Raises:
        InputError: the file cannot be read, or what is there is no token.
    """
    if file is not None:
        try:
            with Path(file).open(encoding="ascii") as opened:
                token, place = opened.read(1000), f"--token-file {file}"
        except (OSError, ValueError) as error:
            raise InputError(f"--token-file {file}: {getattr(error, 'strerror', None) or 'no text'}") from None
    elif VARIABLE in os.environ:
        token, place = os.environ[VARIABLE], VARIABLE
    else:
        return None
    token = token.strip()
    if not _FORM.fullmatch(token):
        raise InputError(
            f"{place}: no token, which has 16 to 256 of the characters A-Z a-z 0-9 . _ ~ + / = -; {_ADVICE}"
        )
    return token


def generate() -> str:
    """Return a new token."""
    return secrets.token_urlsafe(18)
