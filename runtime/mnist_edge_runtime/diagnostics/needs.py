"""Tell what a model file needs: as C on microcontrollers, computed; on emulated boards and chips, where measured."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..model_file.contract import IMAGE_SHAPE, Contract
from ..model_file.size_in_c import SizeInC, size_in_c

__all__ = ["CODE", "MICROCONTROLLERS", "STACK", "Microcontroller", "missing", "needs", "rows"]

CODE = 3000  # bytes of flash, about: the code of a shipped network takes at most that on any of the chips
STACK = 1024  # bytes of RAM that are kept for the stack of a program that runs a network
_MEASURED = Path(__file__).parents[1] / "models" / "measured.json"
_KIB = 1024  # bytes: what data sheets call KB
_ST = "https://www.st.com/en/microcontrollers-microprocessors"


@dataclass(frozen=True)
class Microcontroller:
    """A microcontroller that can be bought: alone or on a board, flash on the board included.

    Attributes:
        title: its usual name.
        chip: the emulated chip that executes the same instructions.
        flash: bytes.
        ram: bytes.
        source: a page about it.
    """

    title: str
    chip: str
    flash: int
    ram: int
    source: str


MICROCONTROLLERS = (
    Microcontroller(
        "BBC micro:bit 1 (nRF51822)", "cortex-m0", 256 * _KIB, 16 * _KIB, "https://tech.microbit.org/hardware/"
    ),
    Microcontroller(
        "Raspberry Pi Pico (RP2040)",
        "cortex-m0",
        2048 * _KIB,
        264 * _KIB,
        "https://www.raspberrypi.com/documentation/microcontrollers/",
    ),
    Microcontroller(
        "Arduino Due (SAM3X8E)", "cortex-m3", 512 * _KIB, 96 * _KIB, "https://doc.riot-os.org/boards/arduino-due"
    ),
    Microcontroller("Blue Pill (STM32F103C8)", "cortex-m3", 64 * _KIB, 20 * _KIB, f"{_ST}/stm32f103c8.html"),
    Microcontroller("Black Pill (STM32F411CE)", "cortex-m4", 512 * _KIB, 128 * _KIB, f"{_ST}/stm32f411ce.html"),
    Microcontroller(
        "Arduino Uno R4 Minima (RA4M1)",
        "cortex-m4",
        256 * _KIB,
        32 * _KIB,
        "https://docs.zephyrproject.org/boards/arduino/uno_r4/doc/index.html",
    ),
    Microcontroller("STM32F746", "cortex-m7", 1024 * _KIB, 320 * _KIB, f"{_ST}/stm32f746zg.html"),
    # A board of Arm's with much more memory, of which the emulated chip uses this; common boards have no Cortex-M55.
    Microcontroller(
        "Arm MPS3 with AN547",
        "cortex-m55",
        512 * _KIB,
        512 * _KIB,
        "https://www.qemu.org/docs/master/system/arm/mps2.html",
    ),
    Microcontroller(
        "ESP32-C3 with 4 MB of flash",
        "rv32imc",
        4096 * _KIB,
        400 * _KIB,
        "https://docs.zephyrproject.org/latest/boards/espressif/common/soc-esp32c3-features.html",
    ),
)


def missing(part: Microcontroller, flash: int, ram: int) -> str:
    """Return what a program that needs that many bytes misses; empty where it fits, the stack included."""
    lacks = {"flash": flash - part.flash, "RAM": ram + STACK - part.ram}
    return " and ".join(f"{number:,} bytes of {kind}" for kind, number in lacks.items() if number > 0)


def needs(contract: Contract, payload: bytes) -> dict[str, Any]:
    """Return what a file needs, as `inspect --json` prints it.

    "c" is computed, and None where there is no C of the file, "no_c" says why. "measured" is None for files that do not
    ship with mnist-edge. "memory" was measured with the file in the wheel: most of it is the engine's.
    """
    measured = json.loads(_MEASURED.read_text(encoding="utf-8"))
    size = _size(contract, payload)
    found: dict[str, Any] = {
        "c": None,
        "no_c": size if isinstance(size, str) else None,
        "measured": measured["files"].get(contract.payload.sha256),
        "memory": measured["memory"].get(contract.format),
    }
    if not isinstance(size, str):
        flash = size.constants + CODE
        ram = size.buffer + IMAGE_SHAPE[0] * IMAGE_SHAPE[1] + len(contract.labels)
        fits = {part.title: missing(part, flash, ram) for part in MICROCONTROLLERS}
        found["c"] = {"constant_bytes": size.constants, "code_bytes": CODE, "ram_bytes": ram, "stack_bytes": STACK}
        found["c"] |= {"fits": [name for name, lacks in fits.items() if not lacks]}
        found["c"] |= {"missing": {name: lacks for name, lacks in fits.items() if lacks}}
    return found


def _size(contract: Contract, payload: bytes) -> SizeInC | str:
    if (contract.format, contract.quantization) != ("tflite", "int8"):
        return "C is written from int8 TFLite files: mnist-edge export --format c"
    if {contract.input.dtype, contract.output.dtype} != {"uint8"}:
        return f"C takes uint8, this file has {contract.input.dtype} in and {contract.output.dtype} out"
    try:
        return size_in_c(payload)
    except (ValueError, IndexError, KeyError):
        return "its graph cannot be read"


def rows(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the same as lines for a person: name and text."""
    if (size := found["c"]) is None:
        yield "as C", found["no_c"]
    else:
        yield (
            "as C",
            f"{size['constant_bytes']:,} bytes of constants and about {size['code_bytes']:,} of code; "
            f"RAM {size['ram_bytes']:,} bytes with the image, and at most {size['stack_bytes']:,} of stack",
        )
        yield "fits on", ", ".join(size["fits"]) or "none of the microcontrollers that are known here"
        if size["missing"]:
            yield "not on", "; ".join(f"{name}: {lacks} missing" for name, lacks in size["missing"].items())
    if measured := found["measured"]:
        for name in ("chips", "boards"):
            if counts := measured.get(name):
                each = ", ".join(f"{key} {count / 1e6:.2f}" for key, count in counts.items())
                yield name, f"millions of instructions for an image, emulated: {each}"
    if memory := found["memory"]:
        yield (
            "memory",
            f"on a Raspberry Pi {memory['picture_mib']:.0f} MiB for a picture with {memory['engine']}, most of it the "
            "engine's",
        )
