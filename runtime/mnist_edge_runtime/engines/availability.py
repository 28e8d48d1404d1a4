"""Explain why an engine is not installed on a host, and name the command that installs it or another one."""

from __future__ import annotations

from collections.abc import Mapping

from ..host import Host
from .registry import ENGINES, EngineInfo

__all__ = [
    "BOARDS",
    "PYTHON",
    "RELEASES",
    "alternative",
    "can_be_installed",
    "missing",
    "not_installed",
    "releases",
    "wheels_fit",
]

PYTHON = (3, 10)  # the lowest Python that this package itself runs on
# Python and glibc of the releases of Debian, and so of Raspberry Pi OS.
RELEASES: Mapping[str, tuple[tuple[int, int], tuple[int, int]]] = {
    "Bullseye": ((3, 9), (2, 31)),
    "Bookworm": ((3, 11), (2, 36)),
    "Trixie": ((3, 13), (2, 41)),
}
BOARDS = "a Raspberry Pi Zero 2 W, 3, 4 or 5"  # those that have 64 bits


def can_be_installed(engine: str, host: Host) -> bool:
    """Return whether a wheel of an engine fits a host, as far as the table knows."""
    return _objection(ENGINES[engine], host) is None


def missing(engine: str, host: Host) -> tuple[str, str]:
    """Return why an engine is not installed, and the fix."""
    row = ENGINES[engine]
    objection = _objection(row, host)
    if objection is None:
        return "it is not installed", host.pip("install", *row.requirements)
    return f"it is not installed, and cannot be: {objection}", alternative(engine, host)


def not_installed(engine: str) -> str:
    """Return the sentence for an engine that is not installed on this host, with the fix."""
    problem, fix = missing(engine, Host.here())
    return f"{engine} {problem.removeprefix('it ')} ({fix})"


def alternative(engine: str, host: Host) -> str:
    """Return the fix where an engine has no wheel for a host: the command that installs another one, or a system."""
    wanted = ENGINES[engine].format
    others = sorted((row for name, row in ENGINES.items() if name != engine), key=lambda row: row.format != wanted)
    for row in others:
        if _objection(row, host) is None:
            note = "" if row.format == wanted else f"  # and take .{row.format} files"
            return host.pip("install", *row.requirements) + note
    return _another_system(host)


def releases(architecture: str) -> list[str]:
    """Return the releases of Raspberry Pi OS on which an engine has wheels for an architecture, the oldest first."""
    return [
        name
        for name, (python, libc) in RELEASES.items()
        if any(wheels_fit(row, python, libc, architecture) for row in ENGINES.values())
    ]


def wheels_fit(row: EngineInfo, python: tuple[int, int], libc: tuple[int, int], architecture: str) -> bool:
    """Return whether an engine has wheels for a Python and a glibc on an architecture of Linux."""
    lowest, highest = row.pythons
    needed = row.glibc.get(architecture)
    return max(lowest, PYTHON) <= python <= highest and needed is not None and needed <= libc


def _another_system(host: Host) -> str:
    """Return which system to install where no engine has a wheel for this one, or which board to take."""
    wide, narrow = (" or ".join(releases(architecture)) for architecture in ("aarch64", "armv7l"))
    if host.processor.startswith("arm") or (host.processor == "aarch64" and host.bits == 32):
        if host.has_64_bits:
            return f"install a system of 64 bits, such as Raspberry Pi OS (64-bit), {wide}"
        if host.processor.startswith("armv6"):
            return f"take a board with another processor, such as {BOARDS}, with Raspberry Pi OS (64-bit), {wide}"
        where = "" if host.has_64_bits is False else f"; on {BOARDS} the one of 64 bits, {wide}, is the better choice"
        return f"install Raspberry Pi OS (32-bit), {narrow}{where}"
    rows = [row for row in ENGINES.values() if host.processor in row.glibc]
    if not rows:
        known = dict.fromkeys(architecture for row in ENGINES.values() for architecture in row.glibc)
        return f"take a computer with another processor: {', '.join(known)}"
    lowest, highest = (_dotted(release) for release in rows[0].pythons)
    bits = " of 64 bits" if host.bits == 32 else ""
    libc = _dotted(rows[0].glibc[host.processor])
    example = f", such as Raspberry Pi OS (64-bit), {wide}" if host.processor == "aarch64" else ""
    return f"take a Python{bits}, {lowest} to {highest}, on a system with glibc {libc} or newer{example}"


def _objection(row: EngineInfo, host: Host) -> str | None:
    """Return why no wheel of an engine fits a host; None where one does, or where the table does not know."""
    if host.system != "Linux":
        return None
    lowest, highest = row.pythons
    where = "its wheels are"
    if not lowest <= host.python_release <= highest:
        return f"{where} for Python {_dotted(lowest)} to {_dotted(highest)}, this is {_dotted(host.python_release)}"
    needed = row.glibc.get(host.architecture)
    if needed is None:
        bits = f" ({host.bits}-bit Python)" if host.bits == 32 else ""
        return f"{where} for {' and '.join(row.glibc)}, this is {host.architecture}{bits}"
    if host.libc is None or host.libc < needed:
        found = f"glibc {_dotted(host.libc)}" if host.libc else "another C library"
        return f"{where} for glibc {_dotted(needed)} and newer, this system has {found}"
    return None


def _dotted(numbers: tuple[int, int]) -> str:
    return ".".join(map(str, numbers))
