"""Describe the folder that versions are installed into.

PREFIX/versions/ID/   one version: a virtual environment with the runtime, its packages and the model
PREFIX/current        leads to the version in use; its command is PREFIX/current/bin/mnist-edge-runtime
PREFIX/previous       leads to the one before
PREFIX/install.sh     for --rollback, when the bundle is gone; needs PREFIX/installer/
PREFIX/counter        of the last signed bundle
PREFIX/.lock, .new   of the installation that is at work
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

from .errors import InstallError

__all__ = ["LOCK", "STAGE", "check", "is_version", "link", "linked"]

LOCK = ".lock"
STAGE = ".new"
_IDENTITY = re.compile(r"[0-9a-f]{12}")


def is_version(folder: Path) -> bool:
    """Return whether a folder below `versions` was made by an installation."""
    return bool(_IDENTITY.fullmatch(folder.name)) and (folder / "bundle.json").is_file()


def linked(folder: Path, name: str) -> str | None:
    """Return the name of the version that a link in the folder leads to, None if there is none."""
    try:
        return os.path.basename(os.readlink(folder / name))
    except OSError:
        return None


def link(prefix: Path, name: str, identity: str) -> None:
    """Let a link lead to a version, atomically."""
    temporary = prefix / f".{name}"
    with contextlib.suppress(FileNotFoundError):
        temporary.unlink()
    temporary.symlink_to(Path("versions", identity))
    os.replace(temporary, prefix / name)


def check(prefix: Path) -> None:
    """Check that an installation would harm nothing in the folder.

    Raises:
        InstallError: the folder contains something that no bundle has put there.
    """
    foreign = _foreign(prefix) if os.path.lexists(prefix) else []
    if foreign:
        raise InstallError(
            3, f"{prefix}: {foreign[0]} is there, which no bundle has made; name an empty or a new folder with --prefix"
        )


def _foreign(prefix: Path) -> list[str]:
    versions = prefix / "versions"
    is_folder = versions.is_dir() and not versions.is_symlink()
    inside = sorted(versions.iterdir()) if is_folder else []
    if any(map(is_version, inside)):  # a bundle's; whatever else lies there is left alone
        return [name for name in ("current", "previous") if (prefix / name).exists() and not linked(prefix, name)]
    own = {LOCK, STAGE, *(["versions"] if is_folder else [])}
    outside = [path.name for path in sorted(prefix.iterdir()) if path.name not in own]
    return outside + [f"versions/{path.name}" for path in inside]
