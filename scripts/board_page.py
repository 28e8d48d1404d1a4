"""Measure exported files on the emulated boards and write docs/boards.json and docs/boards.md.

    mnist-edge export --run classic --format all --quantize all
    python scripts/board_page.py --matrix runs/classic --count runs/small runs/classic

The matrix is that of a run's files and of those that ship; instructions are counted of the float32 and int8 files of
all runs and of those that ship; memory is that of what ships, in a machine emulated whole. What is not measured anew
stays as it was. Exit code 1: a file is not on a board what it is here.
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
from mnist_edge_emulators.raspberry_pi import cost, matrix, memory, page, root
from mnist_edge_emulators.raspberry_pi.boards import BOARDS
from mnist_edge_emulators.raspberry_pi.emulator import Device
from mnist_edge_emulators.raspberry_pi.errors import BoardError
from mnist_edge_runtime import models
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.preprocessing.mnist import to_picture
from mnist_edge_trainer.data import datasets
from PIL import Image

DOCS = Path(__file__).resolve().parent.parent / "docs"


def exports(run: Path) -> list[Path]:
    """Return the files that a run has published."""
    return sorted(file for file in (run / "exports").iterdir() if file.suffix in (".tflite", ".onnx"))


def say(sentence: str) -> None:
    print(sentence, file=sys.stderr)


def measure_matrix(devices: Sequence[Device], run: Path) -> list[dict[str, Any]]:
    """Return what docs/boards.json holds of answers."""
    images = datasets.load("mnist").test_images[: matrix.IMAGES]
    return [row.to_dict() for row in matrix.rows(devices, [*models.bundled_models(), *exports(run)], images)]


def count(devices: Sequence[Device], runs: Sequence[Path]) -> dict[str, Any]:
    """Return what docs/boards.json holds of instructions."""
    files = {cost.key(file): file for run in runs for file in exports(run)}
    files.update({cost.key(file): file for file in models.bundled_models()})
    counted = [file for file in files.values() if sealed_model.read(file).contract.quantization in cost.COUNTED]
    images = datasets.load("digits").test_images
    return {
        "versions": cost.versions_of(devices),
        "instructions": cost.instructions(devices, counted, images),
    }


def measure_memory(device: Device) -> dict[str, Any]:
    """Return what docs/boards.json holds of memory."""
    golden = sealed_model.read(models.bundled_models()[0]).golden
    engines = []
    with tempfile.TemporaryDirectory() as name:
        image = golden.images[golden.picture]
        np.save(Path(name, memory.IMAGE), image)
        Image.fromarray(to_picture(image)).save(Path(name, memory.PICTURE))
        with memory.machine(device, Path(name)) as whole:
            for engine in device.board.engines:
                ready, picture = (round(memory.peak(whole, engine, each), 1) for each in (memory.IMAGE, memory.PICTURE))
                say(f"{engine}: peak {ready} MB with an image, {picture} MB with a picture")
                least = memory.least(whole, engine)
                engines.append({"engine": engine, "image_mb": ready, "picture_mb": picture, "least_mb": least})
    return {"ample_mb": memory.AMPLE, "step_mb": memory.STEP, "engines": engines}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--matrix", type=Path, metavar="RUN", help="a run's folder, with its exports")
    parser.add_argument("--count", type=Path, nargs="+", metavar="RUN", help="runs' folders")
    parser.add_argument("--memory", action="store_true", help="measure it")
    options = parser.parse_args()
    file = DOCS / "boards.json"
    document = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    try:
        devices = [root.device(board, say) for board in BOARDS.values()]
        if options.matrix:
            document["matrix"] = measure_matrix(devices, options.matrix)
        if options.count:
            document |= count(devices, options.count)
        if options.memory:
            document["memory"] = measure_memory(devices[0])
    except BoardError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    file.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    text = page.render(document)
    (DOCS / "boards.md").write_text(text, encoding="utf-8")
    print(text)
    return 0 if all(row["passed"] for row in document.get("matrix", [])) else 1


if __name__ == "__main__":
    sys.exit(main())
