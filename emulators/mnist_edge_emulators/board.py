"""Describe a machine that qemu emulates: its processor, its Debian release, and the wheels that a person installs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .debian import DebianRoot

__all__ = ["SYSTEM", "WHEELS", "Board", "pinned"]

_CONSTRAINTS = Path(__file__).resolve().parents[2] / ".ci" / "constraints.txt"


@dataclass(frozen=True, kw_only=True)
class Board(DebianRoot):
    """A computer with its system and the engines that a person would install on it.

    Attributes:
        title: the computers that it stands for.
        cpu: qemu's name of the processor.
        qemu: name of the qemu program that runs it.
        processor: names and values of /proc/cpuinfo for one core; engines choose their kernels by them.
        python: version of Python.
        platforms: platform tags of wheels that fit.
        wheels: requirements from the package index, with their versions.
        engines: the runtime's engines that are installed.
        system_site_packages: whether the runtime's environment sees the system's Python packages.
    """

    title: str
    cpu: str
    qemu: str = "qemu-aarch64"
    processor: tuple[tuple[str, str], ...]
    python: str
    platforms: tuple[str, ...] = tuple(f"manylinux_2_{minor}_aarch64" for minor in (28, 27, 17))
    wheels: tuple[str, ...]
    engines: tuple[str, ...] = ("litert", "onnxruntime")
    system_site_packages: bool = False

    @property
    def cpuinfo(self) -> str:
        """The text of /proc/cpuinfo: four cores."""
        lines = "".join(f"{name}\t: {value}\n" for name, value in self.processor)
        return "".join(f"processor\t: {core}\n{lines}\n" for core in range(4))

    @property
    def is_pi(self) -> bool:
        """Whether it is a Raspberry Pi; instructions are counted on those alone."""
        return self.architecture != "amd64"


def pinned(*names: str) -> Iterator[str]:
    """Yield requirements with the versions of the workstation's constraints, so that both run the same engines."""
    rows = (line.partition("==") for line in _CONSTRAINTS.read_text(encoding="utf-8").splitlines())
    versions = {name.lower(): version for name, _, version in rows if version}
    for name in names:
        yield f"{name}=={versions[name]}"


# Debian packages: what the README's commands need, and what comes with Raspberry Pi OS.
SYSTEM = (
    *("python3", "python3-venv", "libstdc++6", "ca-certificates"),
    *("dash", "coreutils", "findutils", "grep", "gzip", "sed", "tar"),
)
_LITERT = ("ai-edge-litert", "backports.strenum", "flatbuffers", "ml_dtypes", "protobuf", "tqdm", "typing_extensions")
WHEELS = tuple(pinned(*_LITERT, "onnxruntime", "packaging", "pillow"))
