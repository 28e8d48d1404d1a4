"""Collect the wheels that a system needs: pip downloads them, and dependency markers are evaluated for that system.

pip downloads for another platform, but evaluates the markers of dependencies with its own Python; so it fetches the
packages of one round at a time without their dependencies, and the next round follows from their metadata.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import environ
from pathlib import Path

from mnist_edge_runtime import InputError
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name, parse_wheel_filename

from . import wheel_files
from .systems import System

__all__ = ["Wheel", "collect", "needs_of"]

_ROUNDS = 10


@dataclass(frozen=True)
class Wheel:
    """A wheel of the index.

    Attributes:
        name: of the package, normalized.
        version: of the package.
        file: its file name.
        data: its bytes.
    """

    name: str
    version: str
    file: str
    data: bytes

    @classmethod
    def of(cls, file: str, data: bytes) -> Wheel:
        """Take name and version from the file's name."""
        name, version, _, _ = parse_wheel_filename(file)
        return cls(name, str(version), file, data)


def collect(system: System, roots: Sequence[Requirement], constraint: Path | None) -> list[Wheel]:
    """Return the wheels that the requirements `roots` need on `system`, by name.

    Args:
        system: where they are to be installed; packages that come from Debian there are left out.
        roots: the requirements to start from, extras included.
        constraint: a constraints file of pip.

    Raises:
        InputError: pip cannot get them, or no set of versions fits.
    """
    found: dict[str, Wheel] = {}
    with tempfile.TemporaryDirectory(prefix="mnist-edge-") as folder:
        for _ in range(_ROUNDS):
            needs = _closure(system, roots, found)
            missing = [
                need for name, need in needs.items() if name not in found or found[name].version not in need.specifier
            ]
            if not missing:
                return [found[name] for name in sorted(needs)]
            for wheel in _download(system, missing, constraint, Path(folder)):
                found[wheel.name] = wheel
    raise InputError(f"no set of versions fits {system.name}: {', '.join(map(str, missing))}; try --constraint")


def needs_of(wheel: bytes, extras: frozenset[str], system: System) -> list[Requirement]:
    """Return the requirements of a wheel on `system` with these extras."""
    lines = wheel_files.metadata(wheel).get_all("Requires-Dist", [])
    environment = system.environment()
    return [
        need
        for need in map(Requirement, lines)
        if need.marker is None
        or any(need.marker.evaluate({**environment, "extra": extra}) for extra in (extras or {""}))
    ]


def _closure(system: System, roots: Sequence[Requirement], found: Mapping[str, Wheel]) -> dict[str, Requirement]:
    """Return by name all requirements that follow from the wheels found so far, those on one package merged."""
    merged: dict[str, Requirement] = {}
    waiting = list(roots)
    while waiting:
        need = waiting.pop()
        name = canonicalize_name(need.name)
        if name in system.debian:
            continue
        known = merged.get(name)
        specifier = need.specifier & known.specifier if known else need.specifier
        extras = need.extras | known.extras if known else need.extras
        if known and (specifier, extras) == (known.specifier, known.extras):
            continue
        merged[name] = _requirement(name, specifier, extras)
        if name in found:
            waiting += needs_of(found[name].data, frozenset(extras), system)
    return merged


def _requirement(name: str, specifier: SpecifierSet, extras: set[str]) -> Requirement:
    need = Requirement(name)
    need.specifier, need.extras = specifier, extras
    return need


def _download(system: System, needs: Sequence[Requirement], constraint: Path | None, folder: Path) -> list[Wheel]:
    """Let pip fetch these without their dependencies."""
    before = set(folder.iterdir())
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder)]
    command += ["--disable-pip-version-check", "--no-input", "--only-binary=:all:", "--implementation", "cp"]
    command += [
        "--python-version",
        system.python,
        *(word for tag in system.platforms() for word in ("--platform", tag)),
    ]
    command += ["--constraint", str(constraint)] if constraint else []
    # The constraints of this machine say nothing about the device.
    environment = {name: value for name, value in environ.items() if name != "PIP_CONSTRAINT"}
    result = subprocess.run([*command, *map(str, needs)], env=environment, capture_output=True, text=True, check=False)
    if result.returncode:
        said = result.stderr.splitlines()
        # The last error of a conflict is a link to pip's page about conflicts; the one before says which.
        errors = [line for line in said if line.startswith("ERROR: ") and "ResolutionImpossible" not in line]
        lines = errors or said
        reason = lines[-1].removeprefix("ERROR: ").rstrip(".") if lines else f"exit code {result.returncode}"
        asked = f", and what {constraint} asks for" if constraint else ""
        raise InputError(
            f"pip cannot get the wheels for {system.name}: {reason}; see whether it reaches its package index{asked}"
        )
    return [Wheel.of(path.name, path.read_bytes()) for path in set(folder.iterdir()) - before]
