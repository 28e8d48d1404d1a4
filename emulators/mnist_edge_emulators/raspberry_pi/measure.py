"""Measure exported files on the emulated boards and write docs/boards.json and docs/boards.md.

    mnist-edge export --run classic --format all --quantize all
    python emulators/board_page.py --matrix runs/classic --count runs/small runs/classic
    python emulators/board_page.py --prepare --memory
    python emulators/board_page.py --chips

The matrix compares the answers of a run's files and of the bundled ones; instructions are counted for the float32 and
int8 files of all runs, for the bundled ones, and for the preparation of a camera's frame; memory is that of the bundled
ones, in a whole emulated machine. On chips the shipped networks run as C (docs/chips.json). Parts that are not measured
keep their figures. What `mnist-edge-runtime inspect` tells of shipped files is written into the runtime. Exit code 1: a
file does not answer on a board or a chip as it does here.
"""

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
from mnist_edge_runtime.engines.registry import ENGINES
from mnist_edge_runtime.errors import MnistEdgeError, describe
from mnist_edge_runtime.files import atomic_path
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.model_file.formats.registry import for_suffix
from mnist_edge_runtime.preprocessing import mnist
from mnist_edge_trainer.data import datasets
from PIL import Image

from ..microcontroller import figures as chip_figures
from . import instruction_counts, matrix, memory, page, root
from .boards import BOARDS
from .device import Device

__all__ = ["main"]

_ROOT = Path(__file__).resolve().parents[3]
_DOCS = _ROOT / "docs"
_MEASURED = Path(models.__file__).with_name("measured.json")


def _exports(run: Path) -> list[Path]:
    """Return the files that a run has published."""
    return sorted(file for file in (run / "exports").iterdir() if for_suffix(file.suffix))


def _say(sentence: str) -> None:
    """Print progress."""
    print(sentence, file=sys.stderr)


def _matrix(devices: Sequence[Device], run: Path) -> list[dict[str, Any]]:
    """Return the part of docs/boards.json on answers."""
    images = datasets.load("mnist").test_images[: matrix.IMAGES]
    return [row.to_dict() for row in matrix.rows(devices, [*models.bundled_models(), *_exports(run)], images)]


def _instructions(devices: Sequence[Device], runs: Sequence[Path]) -> dict[str, Any]:
    """Return the parts of docs/boards.json on instructions and versions."""
    every = [*(file for run in runs for file in _exports(run)), *models.bundled_models()]
    files = {instruction_counts.key(file): file for file in every}
    counted = [
        file for file in files.values() if sealed_model.read(file).contract.quantization in instruction_counts.COUNTED
    ]
    pis = [device for device in devices if device.board.is_pi]
    return {
        "versions": instruction_counts.versions_of(devices),
        "instructions": instruction_counts.instructions(pis, counted, datasets.load("digits").test_images),
    }


def _memory(device: Device) -> dict[str, Any]:
    """Return the part of docs/boards.json on memory."""
    golden = sealed_model.read(models.bundled_models()[0]).golden
    engines = []
    with tempfile.TemporaryDirectory() as name:
        image = golden.images[golden.picture]
        np.save(Path(name, memory.IMAGE), image)
        Image.fromarray(mnist.to_picture(image)).save(Path(name, memory.PICTURE))
        with memory.virtual_machine(device, Path(name)) as machine:
            for engine in device.board.engines:
                image_mib, picture_mib = (
                    round(memory.peak(machine, engine, each), 1) for each in (memory.IMAGE, memory.PICTURE)
                )
                _say(f"{engine}: peak {image_mib} MiB with an image, {picture_mib} MiB with a picture")
                engines.append(
                    {
                        "engine": engine,
                        "image_mib": image_mib,
                        "picture_mib": picture_mib,
                        "least_mib": memory.least(machine, engine),
                    }
                )
    return {"ample_mib": memory.AMPLE, "step_mib": memory.STEP, "engines": engines}


def _measured(document: dict[str, Any], chips: dict[str, Any]) -> dict[str, Any]:
    """Return what `mnist-edge-runtime inspect` tells of shipped files: instructions by payload, memory by format."""
    files: dict[str, Any] = {}
    for file in chip_figures.shipped():
        contract, key = sealed_model.read(file).contract, instruction_counts.key(file)
        boards = {
            board: counts[key]["classify"]
            for board, engines in document.get("instructions", {}).items()
            for counts in engines.values()
            if key in counts
        }
        on_chips = chip_figures.instructions(chips, key.split()[0]) if contract.format == "tflite" else {}
        files[contract.payload.sha256] = {"chips": on_chips, "boards": boards}
    engines = {row["engine"]: row for row in document.get("memory", {}).get("engines", [])}
    memory = {ENGINES[engine].format: row for engine, row in engines.items()}
    return {"files": files, "memory": memory}


def main() -> int:
    """Measure, write both files, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--matrix", type=Path, metavar="RUN", help="Run folder whose exports are compared.")
    parser.add_argument("--count", type=Path, nargs="+", metavar="RUN", help="Run folders whose exports are counted.")
    parser.add_argument("--prepare", action="store_true", help="Count the preprocessing.")
    parser.add_argument("--memory", action="store_true", help="Measure memory.")
    parser.add_argument("--chips", action="store_true", help="Measure the shipped networks on microcontrollers.")
    options = parser.parse_args()
    file, chips_file = _DOCS / "boards.json", _DOCS / "chips.json"
    document, chips = (
        json.loads(each.read_text(encoding="utf-8")) if each.is_file() else {} for each in (file, chips_file)
    )
    try:
        needs_boards = any(value for key, value in vars(options).items() if key != "chips")
        devices = [root.device(board, _say) for board in BOARDS.values()] if needs_boards else []
        if options.matrix:
            document["matrix"] = _matrix(devices, options.matrix)
        if options.count:
            document |= _instructions(devices, options.count)
        if options.prepare:
            pis = [device for device in devices if device.board.is_pi]
            document["preparation"] = instruction_counts.preparation(pis)
        if options.memory:
            document["memory"] = _memory(devices[0])
        if options.chips:
            measured = chip_figures.rows(chip_figures.shipped("litert"), datasets.load("mnist").test_images)
            chips = chip_figures.document(measured)
    except MnistEdgeError as error:
        message, code = describe(error)
        print(f"error: {message}", file=sys.stderr)
        return code
    text = page.render(document, chips)
    contents = {each: json.dumps(found, indent=1) + "\n" for each, found in ((file, document), (chips_file, chips))}
    contents[_MEASURED] = json.dumps(_measured(document, chips), indent=1) + "\n"
    for target, content in (contents | {_DOCS / "boards.md": text}).items():
        with atomic_path(target) as temporary:
            temporary.write_text(content, encoding="utf-8")
    print(text)
    on_chips = [row for found in chips.get("networks", {}).values() for row in found.values()]
    is_same = not any(row["differing"] or row["wrong"] for row in on_chips)
    return 0 if is_same and all(row["passed"] for row in document.get("matrix", [])) else 1
