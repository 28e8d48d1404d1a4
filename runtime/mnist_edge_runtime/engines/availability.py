"""For which machines each engine has wheels, and what to do where it has none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..host import Host
from .registry import ENGINES

__all__ = ["instead", "missing", "not_installed", "pillow"]


@dataclass(frozen=True)
class _Wheels:
    """For which Pythons, and for which architectures with which glibc, an engine has wheels."""

    pythons: tuple[tuple[int, int], tuple[int, int]]
    libc: Mapping[str, tuple[int, int]]

    def objection(self, machine: Host) -> str | None:
        """Return why no wheel fits, None where one does or nobody knows."""
        if machine.system != "Linux":
            return None
        lowest, highest = self.pythons
        where = "its wheels are"
        if not lowest <= machine.python <= highest:
            return f"{where} for Python {_dotted(lowest)} to {_dotted(highest)}, this is {_dotted(machine.python)}"
        needed = self.libc.get(machine.architecture)
        if needed is None:
            bits = f" ({machine.bits}-bit Python)" if machine.bits == 32 else ""
            return f"{where} for {' and '.join(self.libc)}, this is {machine.architecture}{bits}"
        if machine.libc is None or machine.libc < needed:
            found = f"glibc {_dotted(machine.libc)}" if machine.libc else "another C library"
            return f"{where} for glibc {_dotted(needed)} and newer, this system has {found}"
        return None


_WHEELS = {
    "litert": _Wheels(((3, 10), (3, 14)), {"x86_64": (2, 27), "aarch64": (2, 27)}),
    "tflite-runtime": _Wheels(((3, 9), (3, 11)), {"x86_64": (2, 17), "aarch64": (2, 34), "armv7l": (2, 34)}),
    "onnxruntime": _Wheels(((3, 10), (3, 14)), {"x86_64": (2, 27), "aarch64": (2, 27)}),
}
_REQUIREMENTS = {
    "litert": ("ai-edge-litert>=2.0",),
    "tflite-runtime": ("tflite-runtime>=2.14", "numpy<2"),
    "onnxruntime": ("onnxruntime>=1.17",),
}
_PILLOW = "Pillow>=10.3"
_SIXTY_FOUR_BITS = "install a system of 64 bits, such as Raspberry Pi OS (64-bit), Bookworm or newer"


def missing(engine: str, machine: Host) -> tuple[str, str]:
    """Return what is wrong where an engine is not installed, and what mends it."""
    objection = _WHEELS[engine].objection(machine)
    if objection is None:
        return "it is not installed", machine.pip("install", *_REQUIREMENTS[engine])
    return f"it is not installed, and cannot be: {objection}", instead(engine, machine)


def not_installed(engine: str) -> str:
    """Return the sentence for an engine that is not installed on this host, with what to do."""
    wrong, mend = missing(engine, Host.here())
    return f"{engine} {wrong.removeprefix('it ')} ({mend})"


def instead(engine: str, machine: Host) -> str:
    """Return what to do where an engine cannot be had: the command for another one that can."""
    same = ENGINES[engine].format
    others = sorted((name for name in ENGINES if name != engine), key=lambda name: ENGINES[name].format != same)
    for name in others:
        if _WHEELS[name].objection(machine) is None:
            note = "" if ENGINES[name].format == same else f"  # and take .{ENGINES[name].format} files"
            return machine.pip("install", *_REQUIREMENTS[name]) + note
    return _SIXTY_FOUR_BITS if machine.bits == 32 else "take Python 3.11 on a system with glibc 2.34 or newer"


def pillow(machine: Host) -> str:
    """Return what brings Pillow, without which most pictures cannot be read."""
    return machine.pip("install", _PILLOW)


def _dotted(numbers: tuple[int, int]) -> str:
    return ".".join(map(str, numbers))
