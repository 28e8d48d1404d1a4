"""List the emulated chips, and real microcontrollers with each processor, by their memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mnist_edge_runtime.errors import UsageError

from ..debian import DebianRoot

__all__ = ["CHIPS", "EMULATOR", "PARTS", "STACK", "Chip", "Part", "chip", "missing"]

STACK = 1024  # bytes of RAM that are kept for the stack of a program that runs a network

# qemu for whole machines with Arm and RISC-V processors.
EMULATOR = DebianRoot("chips", "bookworm", "amd64", ("qemu-system-arm", "qemu-system-misc"))


@dataclass(frozen=True)
class Part:
    """A microcontroller that can be bought: alone or on a board, flash on the board included.

    Attributes:
        title: its usual name.
        chip: the emulated chip that executes the same instructions.
        flash: bytes.
        ram: bytes.
        source: page that states them.
    """

    title: str
    chip: str
    flash: int
    ram: int
    source: str


@dataclass(frozen=True)
class Chip:
    """An emulated chip.

    Attributes:
        name: as the command takes it.
        title: processor and instruction set.
        machine: qemu's name of the machine.
        qemu: the program that emulates it.
        target: zig's name of the platform.
        cpu: zig's name of the processor.
        flash_origin: address of its flash.
        ram_origin: address of its RAM.
        options: of qemu, beside those that all chips have.
    """

    name: str
    title: str
    machine: str
    cpu: str
    qemu: str = "qemu-system-arm"
    target: str = "thumb-freestanding-eabi"
    flash_origin: int = 0
    ram_origin: int = 0x20000000
    options: tuple[str, ...] = ()

    @property
    def part(self) -> Part:
        """The real microcontroller whose memory the emulated chip has: the first that is listed."""
        return next(part for part in PARTS if part.chip == self.name)


CHIPS: Mapping[str, Chip] = {
    chip.name: chip
    for chip in (
        Chip("cortex-m0", "Cortex-M0: Armv6-M", "microbit", "cortex_m0"),
        Chip("cortex-m3", "Cortex-M3: Armv7-M", "mps2-an385", "cortex_m3"),
        Chip("cortex-m4", "Cortex-M4: Armv7E-M, DSP instructions", "mps2-an386", "cortex_m4"),
        Chip("cortex-m7", "Cortex-M7: Armv7E-M, DSP instructions", "mps2-an500", "cortex_m7"),
        Chip("cortex-m55", "Cortex-M55: Armv8.1-M, vector instructions (Helium)", "mps3-an547", "cortex_m55"),
        Chip(
            "rv32imc",
            "RISC-V: RV32IMC",
            "virt",
            "generic_rv32+m+c",
            qemu="qemu-system-riscv32",
            target="riscv32-freestanding-none",
            flash_origin=0x80000000,
            ram_origin=0x81000000,
            options=("-bios", "none"),
        ),
    )
}

_KIB = 1024  # bytes: what data sheets call KB
_ST = "https://www.st.com/en/microcontrollers-microprocessors"
PARTS = (
    Part("BBC micro:bit 1 (nRF51822)", "cortex-m0", 256 * _KIB, 16 * _KIB, "https://tech.microbit.org/hardware/"),
    Part(
        "Raspberry Pi Pico (RP2040)",
        "cortex-m0",
        2048 * _KIB,
        264 * _KIB,
        "https://www.raspberrypi.com/documentation/microcontrollers/",
    ),
    Part("Arduino Due (SAM3X8E)", "cortex-m3", 512 * _KIB, 96 * _KIB, "https://docs.arduino.cc/hardware/due/"),
    Part("Blue Pill (STM32F103C8)", "cortex-m3", 64 * _KIB, 20 * _KIB, f"{_ST}/stm32f103c8.html"),
    Part("Black Pill (STM32F411CE)", "cortex-m4", 512 * _KIB, 128 * _KIB, f"{_ST}/stm32f411ce.html"),
    Part(
        "Arduino Uno R4 Minima (RA4M1)",
        "cortex-m4",
        256 * _KIB,
        32 * _KIB,
        "https://docs.arduino.cc/hardware/uno-r4-minima/",
    ),
    Part("STM32F746", "cortex-m7", 1024 * _KIB, 320 * _KIB, f"{_ST}/stm32f746zg.html"),
    Part(
        "Arm MPS3 with AN547",
        "cortex-m55",
        512 * _KIB,
        512 * _KIB,
        "https://www.qemu.org/docs/master/system/arm/mps2.html",
    ),
    Part(
        "ESP32-C3 with 4 MB of flash",
        "rv32imc",
        4096 * _KIB,
        400 * _KIB,
        "https://docs.zephyrproject.org/latest/boards/espressif/common/soc-esp32c3-features.html",
    ),
)


def chip(name: str) -> Chip:
    """Return the chip of that name.

    Raises:
        UsageError: there is none.
    """
    if name not in CHIPS:
        raise UsageError(f"there is no chip {name!r}; choose from {', '.join(CHIPS)}")
    return CHIPS[name]


def missing(part: Part, flash: int, ram: int) -> str:
    """Return what a program that needs that many bytes misses on a part; empty where it fits, stack included."""
    lacks = {"flash": flash - part.flash, "RAM": ram + STACK - part.ram}
    return " and ".join(f"{number:,} bytes of {kind}" for kind, number in lacks.items() if number > 0)
