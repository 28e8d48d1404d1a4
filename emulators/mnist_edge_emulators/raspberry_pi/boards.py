"""List the boards: the processor of each, its system, and what a person installs on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from mnist_edge_runtime.errors import UsageError

from ..debian import DebianRoot

__all__ = ["BOARDS", "EMULATOR", "KERNEL", "SYSTEM_EMULATOR", "Board", "board"]

_CONSTRAINTS = Path(__file__).resolve().parents[3] / ".ci" / "constraints.txt"


@dataclass(frozen=True, kw_only=True)
class Board(DebianRoot):
    """A Raspberry Pi with its system and the engines that a person would install on it.

    Attributes:
        title: the Raspberry Pis that it stands for.
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


def _pinned(*names: str) -> Iterator[str]:
    """Yield requirements with the versions of the workstation's constraints, so that both run the same engines."""
    rows = (line.partition("==") for line in _CONSTRAINTS.read_text(encoding="utf-8").splitlines())
    versions = {name.lower(): version for name, _, version in rows if version}
    for name in names:
        yield f"{name}=={versions[name]}"


def _arm(part: str, variant: str, revision: str, features: str, architecture: int = 8) -> tuple[tuple[str, str], ...]:
    return (
        ("BogoMIPS", "108.00"),
        ("Features", features),
        ("CPU implementer", "0x41"),
        ("CPU architecture", str(architecture)),
        ("CPU variant", variant),
        ("CPU part", part),
        ("CPU revision", revision),
    )


# Debian packages: what the README's commands need, and what comes with Raspberry Pi OS.
_SYSTEM = (
    *("python3", "python3-venv", "libstdc++6", "ca-certificates"),
    *("dash", "coreutils", "findutils", "grep", "gzip", "sed", "tar"),
)
_LITERT = ("ai-edge-litert", "backports.strenum", "flatbuffers", "ml_dtypes", "protobuf", "tqdm", "typing_extensions")
_ARM64 = tuple(_pinned(*_LITERT, "onnxruntime", "packaging", "pillow"))
_V8 = "fp asimd evtstrm crc32 cpuid"
_V8_2 = (
    "fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp"  # dot products
)
_BLAS = "usr/lib/arm-linux-gnueabihf"

BOARDS: Mapping[str, Board] = {
    row.name: row
    for row in (
        Board(
            name="pi4",
            title="Raspberry Pi 4: Cortex-A72, Bookworm, 64 bits",
            cpu="cortex-a72",
            processor=_arm("0xd08", "0x0", "3", _V8),
            codename="bookworm",
            architecture="arm64",
            python="3.11",
            packages=_SYSTEM,
            wheels=(*_ARM64, "numpy==2.4.6"),
        ),
        Board(
            name="pi5",
            title="Raspberry Pi 5: Cortex-A76, Trixie, 64 bits",
            cpu="cortex-a76",
            processor=_arm("0xd0b", "0x4", "1", _V8_2),
            codename="trixie",
            architecture="arm64",
            python="3.13",
            packages=_SYSTEM,
            wheels=(*_ARM64, "numpy==2.5.5"),
        ),
        Board(
            name="zero2",
            title="Raspberry Pi Zero 2 W and 3: Cortex-A53, Bookworm, 64 bits",
            cpu="cortex-a53",
            processor=_arm("0xd03", "0x0", "4", _V8),
            codename="bookworm",
            architecture="arm64",
            python="3.11",
            packages=_SYSTEM,
            wheels=(*_ARM64, "numpy==2.4.6"),
        ),
        Board(
            name="legacy32",
            title="Raspberry Pi 2 and later with a system of 32 bits: Cortex-A7, Bookworm",
            cpu="cortex-a7",
            qemu="qemu-arm",
            processor=_arm(
                "0xc07", "0x0", "5", "half thumb fastmult vfp edsp neon vfpv3 tls vfpv4 idiva idivt vfpd32 lpae", 7
            ),
            codename="bookworm",
            architecture="armhf",
            python="3.11",
            packages=(*_SYSTEM, "python3-numpy", "python3-pil"),
            links={f"{_BLAS}/libblas.so.3": "blas/libblas.so.3", f"{_BLAS}/liblapack.so.3": "lapack/liblapack.so.3"},
            platforms=("manylinux_2_34_armv7l",),
            wheels=tuple(_pinned("tflite-runtime")),
            engines=("tflite-runtime",),
            system_site_packages=True,  # the package index has no numpy for 32 bits
        ),
    )
}

# qemu for single programs, dynamically linked: only that one loads plugins.
EMULATOR = DebianRoot("emulator", "bookworm", "amd64", ("proot", "qemu-user"))

# qemu for a whole machine, and its kernel: only the measurement of memory needs them.
SYSTEM_EMULATOR = DebianRoot("system", "bookworm", "amd64", ("qemu-system-arm",))
KERNEL = DebianRoot("kernel", "bookworm", "arm64", ("linux-image-cloud-arm64", "busybox-static"))


def board(name: str) -> Board:
    """Return the board of that name.

    Raises:
        UsageError: there is no such board.
    """
    if name not in BOARDS:
        raise UsageError(f"there is no board {name!r}; choose from {', '.join(BOARDS)}")
    return BOARDS[name]
