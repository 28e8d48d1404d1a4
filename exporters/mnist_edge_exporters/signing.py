"""Sign files with OpenSSH, and the command `sign`; the key stays where it is, in a file or in ssh's agent."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Annotated

import typer
from mnist_edge_runtime.errors import InputError
from mnist_edge_runtime.files import atomic_path
from mnist_edge_runtime.json_output import print_result
from mnist_edge_runtime.model_file.signature import NAMESPACE, SUFFIX
from mnist_edge_runtime.path_checks import check_file

from .options import AsJson

__all__ = ["KEY_HELP", "check_key", "sign", "sign_file", "signature_of"]

KEY_HELP = "Private key of ssh, or the .pub file of one that ssh's agent holds."
_SECONDS = 120  # a key on a token waits to be touched


def check_key(key: Path) -> None:
    """Raise InputError where a key cannot sign; nothing is left of the trial."""
    signature_of(b"", key)


def signature_of(data: bytes, key: Path) -> bytes:
    """Return the signature of the bytes, made by ssh-keygen; it never asks for a passphrase, which the agent is for.

    Raises:
        InputError: there is no such key, it cannot sign, or there is no ssh-keygen.
    """
    if not key.is_file():
        raise InputError(f"{key}: no such key; name a private key of ssh, or the .pub file of one that its agent holds")
    command = ["ssh-keygen", "-Y", "sign", "-n", NAMESPACE, "-f", str(key)]
    environment = {**os.environ, "SSH_ASKPASS_REQUIRE": "never"}
    try:
        done = subprocess.run(  # in a session of its own it finds no terminal to ask on
            command, input=data, capture_output=True, timeout=_SECONDS, env=environment, start_new_session=True
        )
    except FileNotFoundError:
        raise InputError("there is no ssh-keygen on this machine; install the package openssh-client") from None
    except subprocess.TimeoutExpired:
        raise InputError(f"{key}: ssh-keygen did not sign within {_SECONDS} seconds; touch the token in time") from None
    if done.returncode or not done.stdout:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        why = said[-1] if said else f"exit code {done.returncode}"
        raise InputError(f"{key}: cannot sign ({why}); a key with a passphrase must be in the agent: ssh-add {key}")
    return done.stdout


def sign_file(file: Path, key: Path) -> Path:
    """Write the signature of a file beside it and return its path, FILE.sig.

    Raises:
        InputError: the file cannot be read, the signature not be written, or the key cannot sign.
    """
    try:
        made = signature_of(file.read_bytes(), key)
        out = Path(f"{file}{SUFFIX}")
        with atomic_path(out) as temporary:
            temporary.write_bytes(made)
    except OSError as error:
        raise InputError(f"{error.filename or file}: {error.strerror or error}; name a file to sign") from None
    return out


def sign(
    file: Annotated[Path, typer.Argument(help="File to sign: a model, a bundle or another.", callback=check_file)],
    key: Annotated[Path, typer.Option(help=KEY_HELP, callback=check_file)],
    as_json: AsJson = False,
) -> None:
    """Sign a file: write FILE.sig, which ssh-keygen verifies in the namespace mnist-edge."""
    out = sign_file(file, key)
    print_result(as_json, {"file": str(file), "signature": str(out)}, f"{out}: the signature of {file}")
