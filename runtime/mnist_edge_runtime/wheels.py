"""For which machines each engine has wheels, and what to do where it has none."""

from __future__ import annotations

import platform
import re
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec

import numpy as np

from .engines import ENGINES

__all__ = ["Platform", "instead", "missing", "pillow"]


@dataclass(frozen=True)
class Platform:
    """What decides which wheels fit.

    Attributes:
        system: such as "Linux".
        processor: the kernel's architecture, such as "aarch64".
        bits: 64 or 32, of Python, which may be fewer than the kernel's.
        libc: version of glibc, None where the C library is another.
        python: major and minor version.
        executable: this Python.
        numpy: its version.
        has_pip: whether packages can be installed; not into a bundle.
    """

    system: str
    processor: str
    bits: int
    libc: tuple[int, int] | None
    python: tuple[int, int]
    executable: str
    numpy: str
    has_pip: bool = True

    @classmethod
    def here(cls) -> Platform:
        """Describe this machine."""
        name, found = platform.libc_ver()
        numbers = re.match(r"(\d+)\.(\d+)", found) if name == "glibc" else None
        return cls(
            system=platform.system(),
            processor=platform.machine(),
            bits=64 if sys.maxsize > 2**32 else 32,
            libc=(int(numbers[1]), int(numbers[2])) if numbers else None,
            python=sys.version_info[:2],
            executable=sys.executable,
            numpy=np.__version__,
            has_pip=find_spec("pip") is not None,
        )

    @property
    def architecture(self) -> str:
        """The architecture that wheels must be for."""
        narrow = {"aarch64": "armv7l", "x86_64": "i686"}
        return narrow.get(self.processor, self.processor) if self.bits == 32 else self.processor

    def pip(self, command: str, *arguments: str) -> str:
        """Return the command that installs into this Python, or uninstalls; without pip, what to do instead."""
        if not self.has_pip:
            names = " ".join(word for word in arguments if not word.startswith("-"))
            bundle = "make another bundle on the workstation (mnist-edge bundle)"
            return f"{bundle}, for there is no pip here to {command} {names}"
        return shlex.join([self.executable, "-m", "pip", command, *arguments])


@dataclass(frozen=True)
class _Wheels:
    """For which Pythons, and for which architectures with which glibc, an engine has wheels."""

    pythons: tuple[tuple[int, int], tuple[int, int]]
    libc: Mapping[str, tuple[int, int]]

    def objection(self, machine: Platform) -> str | None:
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


def missing(engine: str, machine: Platform) -> tuple[str, str]:
    """Return what is wrong where an engine is not installed, and what mends it."""
    objection = _WHEELS[engine].objection(machine)
    if objection is None:
        return "it is not installed", machine.pip("install", *_REQUIREMENTS[engine])
    return f"it is not installed, and cannot be: {objection}", instead(engine, machine)


def instead(engine: str, machine: Platform) -> str:
    """Return what to do where an engine cannot be had: the command for another one that can."""
    same = ENGINES[engine].format
    others = sorted((name for name in ENGINES if name != engine), key=lambda name: ENGINES[name].format != same)
    for name in others:
        if _WHEELS[name].objection(machine) is None:
            note = "" if ENGINES[name].format == same else f"  # and take .{ENGINES[name].format} files"
            return machine.pip("install", *_REQUIREMENTS[name]) + note
    return _SIXTY_FOUR_BITS if machine.bits == 32 else "take Python 3.11 on a system with glibc 2.34 or newer"


def pillow(machine: Platform) -> str:
    """Return what brings Pillow, without which most pictures cannot be read."""
    return machine.pip("install", _PILLOW)


def _dotted(numbers: tuple[int, int]) -> str:
    return ".".join(map(str, numbers))
