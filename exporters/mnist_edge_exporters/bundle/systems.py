"""The systems that a bundle can be for: what their Python is, which wheels fit, which engine runs which format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mnist_edge_runtime import EngineError, UsageError

__all__ = ["SYSTEMS", "System", "named"]

_TFLITE_RUNTIME = {"tflite": "tflite-runtime"}
_EVERY_ENGINE = {"tflite": "litert", "onnx": "onnxruntime"}


@dataclass(frozen=True)
class System:
    """A release of Debian, or of Raspberry Pi OS which is one, on an architecture.

    Attributes:
        name: as `--target` takes it.
        python: major and minor version of the system's Python.
        glibc: version of its C library.
        machine: the architecture as wheels name it.
        multiarch: the architecture as Debian's Python knows its own, which tells 32 bits from 64.
        engines: the engine that runs each format; a format that none runs is left out.
        debian: packages of Python that the index has no wheels of, and the Debian package of each.
        architecture: as Debian's packages name it.
    """

    name: str
    python: str
    glibc: tuple[int, int]
    machine: str
    multiarch: str
    architecture: str
    engines: Mapping[str, str] = field(default_factory=lambda: _EVERY_ENGINE)
    debian: Mapping[str, str] = field(default_factory=dict)

    def engine(self, format: str) -> str:
        """Return the engine that runs files of `format`.

        Raises:
            EngineError: there is none for this system.
        """
        if format not in self.engines:
            known = " or ".join(f".{known}" for known in self.engines)
            raise EngineError(
                f"no engine for {format} files has packages for {self.name}; export a {known} file for it"
            )
        return self.engines[format]

    def platforms(self) -> list[str]:
        """Return the platform tags of the wheels that fit, the newest first (PEP 600)."""
        oldest = 5 if self.machine == "x86_64" else 17
        tags = [f"manylinux_{self.glibc[0]}_{minor}_{self.machine}" for minor in range(self.glibc[1], oldest - 1, -1)]
        return [*tags, f"manylinux2014_{self.machine}", f"linux_{self.machine}"]

    def environment(self) -> dict[str, str]:
        """Return what the markers of dependencies ask about (PEP 508), as it is there and not here."""
        return {
            "implementation_name": "cpython",
            "implementation_version": f"{self.python}.0",
            "os_name": "posix",
            "platform_machine": self.machine,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": f"{self.python}.0",
            "python_version": self.python,
            "sys_platform": "linux",
        }


_BOOKWORM, _TRIXIE = ("3.11", (2, 36)), ("3.13", (2, 41))
_ARM64, _AMD64 = ("aarch64", "aarch64-linux-gnu", "arm64"), ("x86_64", "x86_64-linux-gnu", "amd64")
_ARMHF = ("armv7l", "arm-linux-gnueabihf", "armhf")

SYSTEMS: Mapping[str, System] = {
    system.name: system
    for system in (
        System("bookworm-arm64", *_BOOKWORM, *_ARM64),
        System("trixie-arm64", *_TRIXIE, *_ARM64),
        # The index has neither numpy nor Pillow for 32 bits; Debian mends what its older Pillow is warned of.
        System(
            "bookworm-armhf", *_BOOKWORM, *_ARMHF, _TFLITE_RUNTIME, {"numpy": "python3-numpy", "pillow": "python3-pil"}
        ),
        System("bookworm-amd64", *_BOOKWORM, *_AMD64),
    )
}


def named(name: str) -> System:
    """Return the system of that name.

    Raises:
        UsageError: there is none.
    """
    if name not in SYSTEMS:
        raise UsageError(f"--target {name} is unknown; choose from {', '.join(SYSTEMS)}")
    return SYSTEMS[name]
