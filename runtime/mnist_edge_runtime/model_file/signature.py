"""Verify who signed a file, with OpenSSH: FILE.sig beside FILE, of a key that a list of signers allows.

The list has OpenSSH's own form (ALLOWED SIGNERS of `man ssh-keygen`): names, options and a public key on each line.
Where there is no list, nothing is asked for and no process is started.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from ..errors import InputError, ModelError

__all__ = ["NAMESPACE", "SUFFIX", "allowed_signers", "verify"]

NAMESPACE = "mnist-edge"  # a signature for another purpose, such as of a commit, is none
SUFFIX = ".sig"
_SECONDS = 60
_NO_SSH = "there is no ssh-keygen on this machine, which verifies signatures; install the package openssh-client"


def allowed_signers(named: str | Path | None = None) -> Path | None:
    """Return the list of signers that holds here: the one that is named, else the user's; None where there is none.

    Raises:
        InputError: the one that is named is not there, or the user's cannot be looked for.
    """
    try:
        file = Path(named or "~/.config/mnist-edge/allowed_signers").expanduser()
        mode = os.stat(file).st_mode
    except (FileNotFoundError, NotADirectoryError):
        if named is None:
            return None
        raise InputError(f"{named}: no such file; name the list of signers that are allowed") from None
    except RuntimeError:  # a user without a home
        return None
    except OSError as error:
        raise InputError(f"{file}: {error.strerror}; it says which signers are allowed, so let it be read") from None
    if not stat.S_ISREG(mode):  # a pipe would be waited for
        raise InputError(f"{file}: is no regular file; name the list of signers that are allowed")
    return file


def verify(data: bytes, path: str | Path, signers: Path) -> str:
    """Check that the bytes of the file at `path` carry the signature PATH.sig of an allowed signer; return their name.

    Raises:
        InputError: the list or the signature cannot be read, or there is no ssh-keygen.
        ModelError: the file is unsigned, its signature is of other bytes, or its signer is not allowed.
    """
    signature = Path(f"{path}{SUFFIX}")
    if not signature.is_file():
        raise ModelError(
            f"{path}: unsigned, and {signers} asks for a signature; sign it with: mnist-edge sign {path} --key KEY"
        )
    try:
        for file in (signers, signature):
            with file.open("rb"):
                pass
    except OSError as error:
        raise InputError(f"{error.filename}: {error.strerror}; let it be read") from None
    given = ["-f", str(signers), "-s", str(signature)]
    code, found, _ = _keygen("find-principals", *given)
    why = "no such signer"
    for name in found.splitlines() if code == 0 else ():
        code, _, why = _keygen("verify", "-n", NAMESPACE, "-I", name, *given, data=data)
        if code == 0:
            return name
    raise ModelError(
        f"{path}: {signature} is not the signature of these bytes by a signer whom {signers} allows now ({why}); take "
        "the file from its maker again, or add the maker's key to that list"
    )


def _keygen(action: str, *arguments: str, data: bytes = b"") -> tuple[int, str, str]:
    """Run ssh-keygen, and return its exit code, what it printed, and the last line of its errors."""
    import subprocess  # where there is no list, its import would be the most of the time

    command = ["ssh-keygen", "-Y", action, *arguments]
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=_SECONDS, check=False)
    except FileNotFoundError:
        raise InputError(_NO_SSH) from None
    except subprocess.TimeoutExpired:
        raise InputError(f"ssh-keygen did not end within {_SECONDS} seconds; see what it waits for") from None
    lines = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()
    return done.returncode, done.stdout.decode(errors="replace"), lines[0] if lines else f"exit code {done.returncode}"
