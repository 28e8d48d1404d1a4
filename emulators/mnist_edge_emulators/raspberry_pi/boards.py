"""List the boards: the processor of each Raspberry Pi, its system, and what a person installs on it; and the PCs."""

from __future__ import annotations

from collections.abc import Mapping

from mnist_edge_runtime.errors import UsageError

from ..board import SYSTEM, WHEELS, Board, pinned
from ..debian import DebianRoot
from ..x86.processors import PROCESSORS

__all__ = ["BOARDS", "EMULATOR", "KERNEL", "SYSTEM_EMULATOR", "board"]


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
            packages=SYSTEM,
            wheels=(*WHEELS, "numpy==2.4.6"),
        ),
        Board(
            name="pi5",
            title="Raspberry Pi 5: Cortex-A76, Trixie, 64 bits",
            cpu="cortex-a76",
            processor=_arm("0xd0b", "0x4", "1", _V8_2),
            codename="trixie",
            architecture="arm64",
            python="3.13",
            packages=SYSTEM,
            wheels=(*WHEELS, "numpy==2.5.5"),
        ),
        Board(
            name="zero2",
            title="Raspberry Pi Zero 2 W and 3: Cortex-A53, Bookworm, 64 bits",
            cpu="cortex-a53",
            processor=_arm("0xd03", "0x0", "4", _V8),
            codename="bookworm",
            architecture="arm64",
            python="3.11",
            packages=SYSTEM,
            wheels=(*WHEELS, "numpy==2.4.6"),
        ),
        Board(
            name="legacy32",
            title="Raspberry Pi 2, and later ones with a 32-bit system: Cortex-A7, Bookworm, 32 bits",
            cpu="cortex-a7",
            qemu="qemu-arm",
            processor=_arm(
                "0xc07", "0x0", "5", "half thumb fastmult vfp edsp neon vfpv3 tls vfpv4 idiva idivt vfpd32 lpae", 7
            ),
            codename="bookworm",
            architecture="armhf",
            python="3.11",
            packages=(*SYSTEM, "python3-numpy", "python3-pil"),
            links={f"{_BLAS}/libblas.so.3": "blas/libblas.so.3", f"{_BLAS}/liblapack.so.3": "lapack/liblapack.so.3"},
            platforms=("manylinux_2_34_armv7l",),
            wheels=tuple(pinned("tflite-runtime")),
            engines=("tflite-runtime",),
            system_site_packages=True,  # the package index has no numpy for 32 bits
        ),
        *PROCESSORS,
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
