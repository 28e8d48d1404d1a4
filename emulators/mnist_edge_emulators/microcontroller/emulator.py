"""Run a program on an emulated chip: it answers images, counts instructions, and measures its stack."""

from __future__ import annotations

import struct
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .. import debian
from ..errors import EmulatorError
from .chips import EMULATOR, Chip
from .firmware import Program

__all__ = ["Answers", "run", "tools"]

_SECONDS = 600  # for all images
_REPORT = struct.Struct("<IIQQ")  # what firmware.c writes
_LOOP = 1_000_000  # instructions of the loop in firmware.c


@dataclass(frozen=True)
class Answers:
    """What a chip answered.

    Attributes:
        logits: raw, uint8 (N, classes).
        wrong: logits of the self-test that are not as they must be.
        stack: the most bytes of stack that an image takes.
        instructions: executed for an image, the mean.
    """

    logits: NDArray[np.uint8]
    wrong: int
    stack: int
    instructions: float


def tools() -> Path:
    """Return the root folder with qemu.

    Raises:
        UnavailableError: its packages are not available, or this machine is not Linux on x86_64.
    """
    return debian.programs(EMULATOR, "chips")


def run(program: Program, chip: Chip, images: NDArray[np.uint8], classes: int) -> Answers:
    """Answer images, uint8 (N, 28, 28), on a chip.

    Raises:
        UnavailableError: qemu is not available.
        EmulatorError: the program did not end as it should.
    """
    command = [
        *debian.host_command(tools(), chip.qemu),
        *("-M", chip.machine, *chip.options, "-nographic", "-monitor", "none", "-serial", "none"),
        *("-semihosting-config", "enable=on,target=native"),
        # One nanosecond of the chip's time is one instruction, so that its timer counts them.
        *("-icount", "shift=0", "-kernel", str(program.file)),
    ]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "images").write_bytes(images.tobytes())
        try:
            result = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=_SECONDS
            )
        except subprocess.TimeoutExpired:
            raise EmulatorError(f"{chip.name}: the program did not end within {_SECONDS} seconds") from None
        report = folder / "report"
        if result.returncode or not report.is_file() or report.stat().st_size != _REPORT.size:
            said = (result.stderr.strip().splitlines() or ["the program crashed"])[0]
            raise EmulatorError(f"{chip.name}: qemu ended with {result.returncode}: {said}")
        wrong, stack, ticks, loop = _REPORT.unpack(report.read_bytes())
        logits = np.frombuffer((folder / "logits").read_bytes(), np.uint8).reshape(-1, classes)
    if len(logits) != len(images):
        raise EmulatorError(f"{chip.name}: {len(logits)} of {len(images)} images were answered")
    return Answers(logits, wrong, stack, ticks * _LOOP / loop / max(1, len(images)))
