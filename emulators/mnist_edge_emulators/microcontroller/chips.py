"""List the emulated chips; each has the memory of a real microcontroller."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mnist_edge_runtime.diagnostics.needs import MICROCONTROLLERS, Microcontroller
from mnist_edge_runtime.errors import UsageError

from ..debian import DebianRoot

__all__ = ["CHIPS", "EMULATOR", "Chip", "chip"]

# qemu for whole machines with Arm and RISC-V processors.
EMULATOR = DebianRoot("chips", "bookworm", "amd64", ("qemu-system-arm", "qemu-system-misc"))


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
    def part(self) -> Microcontroller:
        """The real microcontroller whose memory the emulated chip has: the first that is listed."""
        return next(part for part in MICROCONTROLLERS if part.chip == self.name)


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


def chip(name: str) -> Chip:
    """Return the chip of that name.

    Raises:
        UsageError: there is none.
    """
    if name not in CHIPS:
        raise UsageError(f"there is no chip {name!r}; choose from {', '.join(CHIPS)}")
    return CHIPS[name]
