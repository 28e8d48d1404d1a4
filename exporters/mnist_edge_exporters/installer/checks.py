"""Verify that a bundle is complete and that it is for this machine."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from pathlib import Path
from typing import Any, NamedTuple

from .errors import InstallError

__all__ = ["TARGETS", "Target", "check_files", "check_machine"]

_ARM = ("aarch64-linux-gnu", "arm-linux-gnueabihf")


class Target(NamedTuple):
    """A system that bundles can be for: its name for a person, and what `bundle.json` says of it."""

    title: str
    python: str
    multiarch: str
    glibc: str


# The systems of `mnist-edge bundle --target`, which is not on this machine.
TARGETS = {
    "bookworm-arm64": Target("Raspberry Pi OS Bookworm, 64 bits", "3.11", "aarch64-linux-gnu", "2.36"),
    "trixie-arm64": Target("Trixie, 64 bits", "3.13", "aarch64-linux-gnu", "2.41"),
    "bookworm-armhf": Target("Bookworm, 32 bits", "3.11", "arm-linux-gnueabihf", "2.36"),
    "bookworm-amd64": Target("Debian Bookworm", "3.11", "x86_64-linux-gnu", "2.36"),
}


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
    foreign = sorted(found - promised.keys() - {"SHA256SUMS", "SHA256SUMS.sig"})
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
    raise InstallError(3, f"the bundle is for {manifest['target']}: {problem}; {_advice(here, architecture, libc)}")


def _advice(python: str, multiarch: str, libc: str) -> str:
    """Return which bundle is for this machine, or which system must be installed for one."""
    if platform.machine() == "armv6l":
        return (
            "no bundle can be for a processor of ARMv6 (Raspberry Pi Zero, Zero W and 1), since no engine has packages "
            "for it; take a board with 64 bits, such as a Raspberry Pi Zero 2 W, 3, 4 or 5"
        )
    family = [name for name, system in TARGETS.items() if (system.multiarch in _ARM) == (multiarch in _ARM)]
    for name in family:
        system = TARGETS[name]
        if (system.python, system.multiarch) == (python, multiarch) and _numbers(system.glibc) <= _numbers(libc or "0"):
            return f"make one with: mnist-edge bundle --target {name}"
    systems = " or ".join(f"{TARGETS[name].title} (--target {name})" for name in family)
    return f"no bundle can be for this system, since no engine has packages for it; install {systems}"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])
