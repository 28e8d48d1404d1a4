"""Verify that a bundle is complete and that it is for this machine."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from pathlib import Path
from typing import Any

from .errors import InstallError

__all__ = ["check_files", "check_machine"]


def check_files(bundle: Path) -> str:
    """Compare every file of the unpacked bundle with SHA256SUMS and return the name of its version.

    Raises:
        InstallError: a file is missing, damaged, or not one of the bundle's.
    """
    if not (bundle / "SHA256SUMS").is_file():
        raise InstallError(4, "SHA256SUMS is missing; unpack the bundle again")
    sums = (bundle / "SHA256SUMS").read_bytes()
    promised = {}
    for line in sums.decode("ascii", "replace").splitlines():
        digest, _, name = line.partition("  ")
        promised[name] = digest
    found: set[str] = set()
    for place, folders, names in os.walk(bundle):
        for name in folders + names:
            path = Path(place, name)
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                raise InstallError(4, f"{path}: neither a file nor a folder; copy the bundle again")
        found.update(Path(place, name).relative_to(bundle).as_posix() for name in names)
    missing = sorted(promised.keys() - found)
    if missing:
        raise InstallError(4, f"{missing[0]} is missing; unpack the bundle again")
    foreign = sorted(found - promised.keys() - {"SHA256SUMS"})
    if foreign:
        raise InstallError(4, f"{foreign[0]} is not a file of the bundle; unpack it again, into an empty folder")
    for name, digest in sorted(promised.items()):
        if hashlib.sha256((bundle / name).read_bytes()).hexdigest() != digest:
            raise InstallError(4, f"{name}: damaged, its SHA-256 is not the one in SHA256SUMS; copy the bundle again")
    return hashlib.sha256(sums).hexdigest()[:12]


def check_machine(manifest: Any) -> None:
    """Check that the Python, the architecture and the C library are those that bundle.json names.

    Raises:
        InstallError: the bundle is for another system.
    """
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    architecture = getattr(sys.implementation, "_multiarch", platform.machine())
    libc = platform.libc_ver()[1]
    if here != manifest["python"]:
        problem = f"Python {manifest['python']}, and this is Python {here}"
    elif architecture != manifest["multiarch"] or platform.machine() == "armv6l":
        problem = f"{manifest['multiarch']}, and this is {architecture} on {platform.machine()}"
    elif not libc or _numbers(libc) < _numbers(manifest["glibc"]):
        problem = f"glibc {manifest['glibc']}, and this system has {libc or 'another C library'}"
    else:
        return
    raise InstallError(3, f"the bundle is for {manifest['target']}: {problem}; make one with another --target")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])
