"""Describe the systems that a bundle can be for: their Python, the wheels that fit, the engine for each format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from mnist_edge_runtime import EngineError, UsageError
from mnist_edge_runtime.engines.availability import RELEASES, releases, wheels_fit
from mnist_edge_runtime.engines.registry import ENGINES

__all__ = ["SYSTEMS", "System", "named"]


@dataclass(frozen=True)
class System:
    """A release of Debian, or of Raspberry Pi OS which is one, on an architecture.

    Attributes:
        name: as `--target` takes it.
        python: major and minor version of the system's Python.
        glibc: version of its C library.
        machine: the architecture as wheels name it.
        multiarch: the architecture as Debian's Python names it, which distinguishes 32 bits from 64.
        architecture: the architecture as Debian's packages name it.
        debian: packages of Python that the index has no wheels of, and the Debian package of each.
    """

    name: str
    python: str
    glibc: tuple[int, int]
    machine: str
    multiarch: str
    architecture: str
    debian: Mapping[str, str] = field(default_factory=dict)

    def engine(self, format: str) -> str:
        """Return the preferred engine, among those with wheels for this system, that runs files of `format`.

        Raises:
            EngineError: there is none.
        """
        python = (int(self.python.split(".")[0]), int(self.python.split(".")[1]))
        fitting = {name: row for name, row in ENGINES.items() if wheels_fit(row, python, self.glibc, self.machine)}
        for name, row in fitting.items():
            if row.format == format:
                return name
        known = " or ".join(dict.fromkeys(f".{row.format}" for row in fitting.values()))
        raise EngineError(f"no engine for {format} files has packages for {self.name}; export a {known} file for it")

    def platforms(self) -> list[str]:
        """Return the platform tags of the wheels that fit, the newest first (PEP 600)."""
        oldest = 5 if self.machine == "x86_64" else 17
        tags = [f"manylinux_{self.glibc[0]}_{minor}_{self.machine}" for minor in range(self.glibc[1], oldest - 1, -1)]
        return [*tags, f"manylinux2014_{self.machine}", f"linux_{self.machine}"]

    def environment(self) -> dict[str, str]:
        """Return the variables of dependency markers (PEP 508) as this system's Python has them."""
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


def _release(name: str) -> tuple[str, tuple[int, int]]:
    python, glibc = RELEASES[name]
    return ".".join(map(str, python)), glibc


_BOOKWORM, _TRIXIE = _release("Bookworm"), _release("Trixie")
_ARM64, _AMD64 = ("aarch64", "aarch64-linux-gnu", "arm64"), ("x86_64", "x86_64-linux-gnu", "amd64")
_ARMHF = ("armv7l", "arm-linux-gnueabihf", "armhf")
# Words in names of systems that people ask for, and the architecture that wheels would have to be for.
_ARCHITECTURES = {"arm64": "aarch64", "armhf": "armv7l", "armv6": "armv6l", "amd64": "x86_64"}

SYSTEMS: Mapping[str, System] = {
    system.name: system
    for system in (
        System("bookworm-arm64", *_BOOKWORM, *_ARM64),
        System("trixie-arm64", *_TRIXIE, *_ARM64),
        # The index has neither numpy nor Pillow for 32 bits; Debian backports security fixes to its older Pillow.
        System("bookworm-armhf", *_BOOKWORM, *_ARMHF, {"numpy": "python3-numpy", "pillow": "python3-pil"}),
        System("bookworm-amd64", *_BOOKWORM, *_AMD64),
    )
}


def named(name: str) -> System:
    """Return the system of that name.

    Raises:
        UsageError: there is none.
    """
    if name not in SYSTEMS:
        raise UsageError(f"--target {name} is {_why_not(name)}; choose from {', '.join(SYSTEMS)}")
    return SYSTEMS[name]


def _why_not(name: str) -> str:
    """Return why there is no such system, where the table of engines has the reason."""
    release, _, word = name.partition("-")
    architecture = _ARCHITECTURES.get(word)
    if architecture is None or release.title() not in RELEASES or release.title() in releases(architecture):
        return "unknown"
    python = ".".join(map(str, RELEASES[release.title()][0]))
    return f"not offered, since no engine has wheels for its Python {python} on {architecture}"
