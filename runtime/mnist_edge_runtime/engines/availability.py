"""Explain why an engine is not installed on a host, and name the command that installs it or another one."""

from __future__ import annotations

from ..host import Host
from .registry import ENGINES, EngineInfo

__all__ = ["alternative", "missing", "not_installed"]


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
    """Return the fix where an engine has no wheel for a host: the command that installs another one."""
    wanted = ENGINES[engine].format
    others = sorted((row for name, row in ENGINES.items() if name != engine), key=lambda row: row.format != wanted)
    for row in others:
        if _objection(row, host) is None:
            note = "" if row.format == wanted else f"  # and take .{row.format} files"
            return host.pip("install", *row.requirements) + note
    if host.bits == 32:
        return "install a system of 64 bits, such as Raspberry Pi OS (64-bit), Bookworm or newer"
    return "take Python 3.11 on a system with glibc 2.34 or newer"


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
