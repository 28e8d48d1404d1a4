"""Render the section on microcontrollers of docs/boards.md from docs/chips.json."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mnist_edge_runtime.diagnostics.needs import MICROCONTROLLERS, STACK, Microcontroller, missing

from ..markdown import table
from . import firmware
from .chips import CHIPS

__all__ = ["render"]

_SECTION = """
## Microcontrollers

The networks as C ([integer networks](integer.md)), compiled by ziglang {ziglang} with `{optimization}`, on emulated
chips: qemu-system executes the program as the chip would. `emulators/emulated-chip CHIP FOLDER` does it with a folder
of `mnist-edge export --format c`.

{chips}

Each network answers {images} of MNIST's test images ({large}) and its self-test on each chip that holds it: 0 of
{compared} logits differ from those of the integer network.

- Flash: bytes of the smallest program that answers an image: start, code and constants, without the golden images.
- RAM: its static RAM with the image of 784 bytes and the logits; the stack is counted besides.
- Instructions: millions for one image, the mean. Not cycles: a Cortex-M0 takes more cycles for the same instruction.

{figures}

What fits on real microcontrollers, with {stack:,} bytes of RAM kept for the stack; a program of one's own needs more.
Each links to a page about it; of the MPS3's memory this is the part that is used here.

{parts}
"""


def render(document: Mapping[str, Any]) -> str:
    """Return the section; empty where nothing was measured."""
    networks: Mapping[str, Mapping[str, Any]] = document.get("networks", {})
    if not networks:
        return ""
    ran = [row for found in networks.values() for row in found.values() if not row["missing"]]
    fewer = {name: max(row["images"] for row in found.values()) for name, found in networks.items()}
    most = max(fewer.values())
    large = ", ".join(f"`{name}` {number}" for name, number in fewer.items() if number < most)
    return _SECTION.format(
        ziglang=document["ziglang"],
        optimization=firmware.OPTIMIZATION,
        chips=table(
            ["chip", "processor", "with the memory of"],
            [[f"`{chip.name}`", chip.title, _memory(chip.part)] for chip in CHIPS.values()],
        ),
        images=most,
        large=large or "all of them",
        compared=f"{sum(row['compared'] for row in ran):,}",
        figures=_figures(networks),
        stack=STACK,
        parts=_parts(networks),
    )


def _figures(networks: Mapping[str, Mapping[str, Any]]) -> str:
    rows = []
    for name, chips in networks.items():
        for chip, row in chips.items():
            ends = ["-", f"{row['missing']} missing"]
            if not row["missing"]:
                ends = [f"{row['stack']:,}", f"{row['instructions'] / 1e6:.2f}"]
            rows.append([name, f"`{chip}`", f"{row['flash']:,}", f"{row['ram']:,}", *ends])
    return table(["network", "chip", "flash", "RAM", "stack", "instructions, millions"], rows)


def _parts(networks: Mapping[str, Mapping[str, Any]]) -> str:
    rows = []
    for part in MICROCONTROLLERS:
        needs = [chips[part.chip] for chips in networks.values()]
        lacks = [missing(part, need["flash"], need["ram"]) for need in needs]
        memory = _memory(part).replace(part.title, f"[{part.title}]({part.source})", 1)
        rows.append([memory, f"`{part.chip}`", *(f"{lack} missing" if lack else "fits" for lack in lacks)])
    return table(["microcontroller", "chip", *networks], rows)


def _memory(part: Microcontroller) -> str:
    return f"{part.title}: {part.flash // 1024:,} KiB of flash, {part.ram // 1024} KiB of RAM"
