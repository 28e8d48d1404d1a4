"""Verify who signed a bundle, with OpenSSH, and that it is no older than the last one that was installed.

Only where the device has a list of signers: SHA256SUMS.sig is the signature of SHA256SUMS, which covers every file, and
the counter in bundle.json with them. PREFIX/counter keeps the last one.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from .errors import InstallError
from .versions import manifest

__all__ = ["check", "is_asked_for", "keep"]

_NAMESPACE = "mnist-edge"
_SIGN = "make one with: mnist-edge bundle --sign KEY"
_KEPT = "counter"


def check(bundle: Path, prefix: Path, named: Path | None = None) -> int | None:
    """Return the counter of the unpacked bundle, whose files were checked; None where there is no list of signers.

    Args:
        bundle: the unpacked bundle.
        prefix: the folder to install into, which keeps the last counter.
        named: the list of signers, by default that of the user.

    Raises:
        InstallError: it is unsigned, of an unknown signer, older than the last one, or that cannot be found out.
    """
    signers = named or _users_list()
    if not os.path.lexists(signers):
        if named:
            raise InstallError(3, f"{named}: no such file; name the list of signers that are allowed")
        return None
    signature = bundle / "SHA256SUMS.sig"
    if not signature.is_file():
        raise InstallError(4, f"the bundle is unsigned, and {signers} asks for a signature; {_SIGN}")
    given = ["-f", str(signers), "-s", str(signature)]
    sums = (bundle / "SHA256SUMS").read_bytes()
    for name in _keygen(["find-principals", *given], b"").stdout.decode(errors="replace").splitlines():
        if _keygen(["verify", "-n", _NAMESPACE, "-I", name, *given], sums).returncode == 0:
            break
    else:
        raise InstallError(4, f"nobody whom {signers} allows now signed this bundle; {_SIGN}, or add its maker there")
    counter, last = int(manifest(bundle).get("counter", 0)), _last(prefix)
    if counter < last:
        raise InstallError(
            4,
            f"the bundle's counter is {counter}, and {prefix} had {last} already, so it is older; make another, or go "
            f"back to the version before with: sh {prefix}/install.sh --rollback",
        )
    return counter


def is_asked_for() -> bool:
    """Return whether the user has a list of signers."""
    return os.path.lexists(_users_list())


def _users_list() -> Path:
    return Path.home() / ".config/mnist-edge/allowed_signers"


def keep(prefix: Path, counter: int | None) -> None:
    """Keep the counter of a bundle that was installed; None is that of one that nobody had to sign."""
    if counter is not None and counter > _last(prefix):
        temporary = prefix / f".{_KEPT}"
        temporary.write_text(f"{counter}\n")
        os.replace(temporary, prefix / _KEPT)


def _last(prefix: Path) -> int:
    try:
        return int((prefix / _KEPT).read_text())
    except FileNotFoundError:
        return 0
    except ValueError:
        raise InstallError(3, f"{prefix / _KEPT}: no number; write the counter of the last bundle there") from None


def _keygen(arguments: list[str], given: bytes) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["ssh-keygen", "-Y", *arguments], input=given, capture_output=True, check=False)
    except FileNotFoundError:
        raise InstallError(
            3, "there is no ssh-keygen here to verify the signature; install the package openssh-client"
        ) from None
