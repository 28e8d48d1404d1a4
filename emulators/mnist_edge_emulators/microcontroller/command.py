"""Parse and run the command `emulators/emulated-chip`."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mnist_edge_runtime import models
from mnist_edge_runtime.diagnostics.needs import MICROCONTROLLERS, missing
from mnist_edge_runtime.errors import InputError, MnistEdgeError, UsageError, describe
from mnist_edge_runtime.model_file import sealed_model
from numpy.typing import NDArray

from ..errors import UnfitError
from . import emulator, firmware
from .chips import CHIPS, chip

__all__ = ["main", "parser"]

_EPILOG = """\
The network is compiled with ziglang (the extra c) and answers images on the emulated chip: by default the golden
images of the runtime's own model file.

    mnist-edge export --format c
    emulators/emulated-chip cortex-m4 runs/classic/exports/classic-c

Exit codes: 0 the self-test passed; 2 usage; 3 the folder or the images cannot be read, or the product is not installed
in this Python; 5 the self-test failed, or the chip is too small; 69 something that it needs is not available here.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run an exported network on an emulated chip; return the exit code."""
    options = parser().parse_args(arguments)
    try:
        if options.list:
            for each in CHIPS.values():
                print(f"{each.name:10}  {each.title}, with the memory of {each.part.title}")
            return 0
        if options.chip is None or options.folder is None:
            raise UsageError("name a chip and a folder; --list lists the chips")
        found = _measure(options.chip, options.folder, options.images)
    except (MnistEdgeError, OSError) as error:
        message, code = describe(error)
        print(f"emulated-chip: {message}", file=sys.stderr)
        return code
    print(json.dumps(found, indent=1) if options.json else _text(found))
    return 0 if found["wrong_selftest_logits"] == 0 else UnfitError.exit_code


def parser() -> argparse.ArgumentParser:
    """Return the parser of its options."""
    parser = argparse.ArgumentParser(
        prog="emulated-chip",
        usage="emulated-chip [--images FILE] [--json] CHIP FOLDER\n       emulated-chip --list",
        description="Run a network that was exported as C on an emulated microcontroller: self-test, flash, RAM, stack "
        "and instructions for an image.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("chip", nargs="?", metavar="CHIP", help=f"One of {', '.join(CHIPS)}.")
    parser.add_argument(
        "folder", nargs="?", type=Path, metavar="FOLDER", help="Folder of mnist-edge export --format c."
    )
    parser.add_argument("--images", type=Path, metavar="FILE", help="Images to answer: .npy, uint8 (N, 28, 28).")
    parser.add_argument("--json", action="store_true", help="Print JSON, with the class of each image.")
    parser.add_argument("--list", action="store_true", help="List the chips.")
    return parser


def _measure(name: str, folder: Path, file: Path | None) -> dict[str, Any]:
    """Return the figures of a folder on a chip."""
    chosen, exported = chip(name), firmware.read(folder)
    images = sealed_model.read(models.bundled_models()[0]).golden.images if file is None else _images(file)
    with tempfile.TemporaryDirectory() as scratch:
        program = firmware.compiled(exported, chosen, Path(scratch))
        needs = f"{program.flash:,} bytes of flash and {program.ram:,} of RAM"
        if lacks := missing(chosen.part, program.flash, program.ram):
            raise UnfitError(f"{exported.name} does not fit on {name} ({chosen.part.title}): {needs}, {lacks} missing")
        found = emulator.run(program, chosen, images, exported.classes)
    return {
        "network": exported.name,
        "chip": name,
        "flash_bytes": program.flash,
        "ram_bytes": program.ram,
        "stack_bytes": found.stack,
        "instructions": round(found.instructions),
        "images": len(images),
        "wrong_selftest_logits": found.wrong,
        "classes": found.logits.argmax(axis=1).tolist(),
        "fits": [
            part.title
            for part in MICROCONTROLLERS
            if part.chip == name and not missing(part, program.flash, program.ram)
        ],
    }


def _images(file: Path) -> NDArray[np.uint8]:
    try:
        images = np.load(file, allow_pickle=False)
    except (ValueError, EOFError):
        raise InputError(f"{file}: not a .npy file of numbers; numpy.save writes one") from None
    if (
        not isinstance(images, np.ndarray)
        or images.dtype != np.uint8
        or images.shape[1:] != (28, 28)
        or not len(images)
    ):
        raise InputError(f"{file}: expected uint8 (N, 28, 28)")
    return images


def _text(found: dict[str, Any]) -> str:
    wrong = found["wrong_selftest_logits"]
    rows = {
        "self-test": "passed" if wrong == 0 else f"FAILED: {wrong} logits are wrong",
        "flash": f"{found['flash_bytes']:,} bytes, without the golden images",
        "RAM": f"{found['ram_bytes']:,} bytes with the image, and {found['stack_bytes']:,} of stack",
        "instructions": f"{found['instructions']:,} for an image, the mean of {found['images']}",
        "fits on": ", ".join(found["fits"]),
    }
    return "\n".join([f"{found['network']} on {found['chip']}", *(f"  {key:13} {row}" for key, row in rows.items())])
