"""Compare the logits of int8 TFLite files on every target with those of the integer network; write docs/integer.md.

    PYTHONPATH=emulators python benchmarks/targets.py MODEL.tflite ...

The targets are the engines of this machine, C and JavaScript here, emulated boards, and emulated chips. An .onnx file
beside a model is compared with onnxruntime here. Fails where a single logit differs that must not.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import boards_c
import numpy as np
from integer import litert, tflm
from mnist_edge_emulators.microcontroller import figures
from mnist_edge_emulators.raspberry_pi import jobs, root
from mnist_edge_emulators.raspberry_pi.boards import BOARDS
from mnist_edge_exporters.c_source import project as c_project
from mnist_edge_exporters.c_source import proof as c_proof
from mnist_edge_exporters.integer import rounding, tflite_reader
from mnist_edge_exporters.integer.evaluate import evaluate
from mnist_edge_exporters.javascript import project as js_project
from mnist_edge_exporters.javascript import proof as js_proof
from mnist_edge_runtime import Classifier
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_trainer.data import datasets
from numpy.typing import NDArray
from page_sections import write_section
from web import Chromium

DOCS = Path(__file__).parents[1] / "docs"
TITLE = "Every target"
TEXT = """\
By `PYTHONPATH=emulators python benchmarks/targets.py MODEL...`: logits that differ from those of the integer network,
on test images (ten logits each). TFLM is compared with the variant of double rounding. Boards and chips are
[emulated](boards.md); `base` answers 10 images on a chip. "-": there is no room for it.

| target | images | {networks} |
|---|---|{columns}
"""
OTHERS = """
Two runtimes round otherwise: onnxruntime, whose .onnx file has the same integers, and tflite-runtime on 32 bits. Logits
that differ from the integer network's, and in brackets by how many quantization steps at most; the answer is another
for {other} of {all:,} images. On the boards onnxruntime answers .onnx files as onnxruntime here, to the bit.

| target | images | {networks} |
|---|---|{columns}
"""
COST = """
Millions of instructions for one image on the boards, in C and by LiteRT or tflite-runtime (the engine alone, from
[boards](boards.md)): where LiteRT has vector instructions for int8 it needs fewer.

| board | runs | {networks} |
|---|---|{columns}
"""

Raw = NDArray[np.uint8]


class Model(NamedTuple):
    """A file, its sealed content, and its integer network."""

    file: Path
    sealed: sealed_model.SealedModel
    network: tflite_reader.Network

    def expected(self, images: Raw) -> Raw:
        """Return the logits that every target must give."""
        return np.asarray(evaluate(self.network, images[..., np.newaxis]), np.uint8)

    def raw(self, logits: NDArray[np.float32]) -> Raw:
        """Return logits of the runtime as the bytes that the engine gave."""
        output = self.sealed.contract.output
        return np.asarray(np.rint(logits / np.float32(output.scale)) + output.zero_point, np.uint8)


class Row(NamedTuple):
    """A line of a table: the target, the number of images, and a cell for each network."""

    target: str
    images: int
    cells: list[str]

    def __str__(self) -> str:
        return f"| {self.target} | {self.images:,} | {' | '.join(self.cells)} |"


def differing(found: Raw, expected: Raw) -> str:
    """Return how many logits differ."""
    return f"{np.count_nonzero(found != expected):,}"


def here(models: Sequence[Model], images: Raw) -> Iterator[Row]:
    """Yield the rows of this machine."""
    origin = {"file": "", "sha256": "", "version": "0", "images": len(images), "pictures": 0}
    expected = [model.expected(images) for model in models]
    chromium, compiler = Chromium(), c_proof.compiler()
    if chromium.browser is None:
        raise SystemExit("error: Chromium or Playwright is not installed")

    def c(model: Model) -> Raw:
        made = c_project.make(model.sealed, model.network, "network", "litert", origin)
        return c_proof.answers(made, images, compiler).logits

    def module(model: Model) -> str:
        return js_project.make(model.sealed, model.network, "network", origin).module

    def in_browser(model: Model) -> Raw:
        return chromium.run(module(model), images)[0]  # type: ignore[index]  # there is a browser

    tensors = images[..., np.newaxis]
    ways: Mapping[str, Callable[[Model], Raw]] = {
        "LiteRT, x86": lambda model: np.asarray(litert(model.sealed.payload, tensors), np.uint8),
        "C, x86": c,
        "JavaScript, V8": lambda model: js_proof.answers(module(model), images, []).logits,
        "JavaScript, Chromium": in_browser,
    }
    for name, way in ways.items():
        yield Row(
            name, len(images), [differing(way(each), right) for each, right in zip(models, expected, strict=True)]
        )
    chromium.close()
    doubled = [np.asarray(evaluate(each.network, tensors, rounding.TFLM), np.uint8) for each in models]
    micro = [np.asarray(tflm(each.sealed.payload, tensors), np.uint8) for each in models]
    yield Row("TFLM, x86", len(images), [differing(*pair) for pair in zip(micro, doubled, strict=True)])


def say(sentence: str) -> None:
    """Print progress."""
    print(sentence, file=sys.stderr)


class Boards:
    """The emulated boards, and what they answered."""

    def __init__(self, models: Sequence[Model], images: Raw) -> None:
        """Take int8 TFLite files, which may have .onnx files beside them, and images."""
        self.models, self.images = models, images
        self.devices = [
            root.device(board, lambda sentence: print(sentence, file=sys.stderr)) for board in BOARDS.values()
        ]
        self.expected = [model.expected(images) for model in models]
        self.other_classes = 0
        self.instructions: list[Row] = []

    def _answers(self, engine: str, device: root.Device, suffix: str) -> list[NDArray[np.float32]]:
        files = [each.file.with_suffix(suffix) for each in self.models]
        found = jobs.answers(device, engine, dict.fromkeys(files, len(self.images)), self.images)
        return [found[file][0] for file in files]

    def litert(self) -> Iterator[Row]:
        """Yield a row for each board with LiteRT."""
        for device in self.devices:
            if "litert" in device.board.engines:
                found = self._answers("litert", device, ".tflite")
                cells = [
                    differing(model.raw(logits), right)
                    for model, logits, right in zip(self.models, found, self.expected, strict=True)
                ]
                yield Row(f"LiteRT, `{device.board.name}`", len(self.images), cells)

    def c(self, images: Raw) -> Iterator[Row]:
        """Yield a row for each processor that a static program is for; fewer images, each by C alone."""
        for board in boards_c.PROCESSORS:
            answered = [boards_c.answers(board, each.sealed, images) for each in self.models]
            cells = [
                differing(found, right[: len(images)])
                for (found, _), right in zip(answered, self.expected, strict=True)
            ]
            counts = [f"{instructions / 1e6:.2f}" for _, instructions in answered]
            self.instructions.append(Row(f"`{board}`", 0, ["C", *counts]))
            yield Row(f"C, `{board}`", len(images), cells)

    def others(self) -> Iterator[Row]:
        """Yield the rows of the runtimes with a meaning of their own; check onnxruntime on the boards.

        Raises:
            SystemExit: onnxruntime answers otherwise on a board than here.
        """
        onnx = [Classifier.load(each.file.with_suffix(".onnx"), engine="onnxruntime") for each in self.models]
        here = [np.stack([each.logits(image) for image in self.images]) for each in onnx]
        yield self._steps("onnxruntime, everywhere", here)
        for device in self.devices:
            if "onnxruntime" in device.board.engines:
                for found, right in zip(self._answers("onnxruntime", device, ".onnx"), here, strict=True):
                    if not np.array_equal(found, right):
                        raise SystemExit(f"error: onnxruntime answers otherwise on {device.board.name} than here")
            if "tflite-runtime" in device.board.engines:
                found = self._answers("tflite-runtime", device, ".tflite")
                yield self._steps(f"tflite-runtime, `{device.board.name}`", found)

    def _steps(self, name: str, found: Sequence[NDArray[np.float32]]) -> Row:
        cells = []
        for model, logits, right in zip(self.models, found, self.expected, strict=True):
            output = model.sealed.contract.output
            steps = np.rint(logits / output.scale + output.zero_point) - right
            self.other_classes += int(np.count_nonzero(logits.argmax(axis=1) != right.argmax(axis=1)))
            cells.append(f"{np.count_nonzero(steps):,} ({np.abs(steps).max():.0f})")
        return Row(name, len(self.images), cells)

    def costs(self) -> Iterator[str]:
        """Yield the lines of the table of instructions."""
        counted = json.loads((DOCS / "boards.json").read_text(encoding="utf-8"))["instructions"]
        keys = [f"{figures.name(each.file)} tflite int8" for each in self.models]
        for row in self.instructions:
            yield f"| {row.target} | {' | '.join(row.cells)} |"
            for engine, counts in counted.get(row.target.strip("`"), {}).items():
                if engine != "onnxruntime":
                    cells = [f"{counts[key]['engine'] / 1e6:.2f}" for key in keys]
                    yield f"| {row.target} | {engine} | {' | '.join(cells)} |"


def chips(models: Sequence[Model], images: Raw) -> Iterator[Row]:
    """Yield a row for each chip."""
    measured: dict[str, list[figures.Row]] = {}
    for row in figures.rows([each.file for each in models], images):
        measured.setdefault(row.chip, []).append(row)
    for chip, row_of_chip in measured.items():
        cells = ["-" if row.missing else f"{row.differing:,}" for row in row_of_chip]
        yield Row(f"C, `{chip}`", max(row.images for row in row_of_chip), cells)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("models", nargs="+", type=Path, metavar="MODEL", help="int8 TFLite file")
    parser.add_argument("--images", type=int, default=10_000, help="number of test images here")
    parser.add_argument("--on-boards", type=int, default=500, help="number on boards; a fifth of it in C")
    parser.add_argument("--page", type=Path, default=DOCS / "integer.md", help="page to write")
    options = parser.parse_args()
    models = []
    for file in options.models:
        sealed = sealed_model.read(file)
        models.append(Model(file, sealed, tflite_reader.read(sealed.payload)))
    images = datasets.load("mnist").test_images[: options.images]
    boards = Boards(models, images[: options.on_boards])

    def shown(rows: Iterator[Row]) -> list[Row]:
        found = []
        for row in rows:
            print(row, flush=True)
            found.append(row)
        return found

    same = shown(here(models, images)) + shown(boards.litert()) + shown(boards.c(images[: options.on_boards // 5]))
    same += shown(chips(models, images))
    others = shown(boards.others())
    names = {"networks": " | ".join(f"`{each.file.stem}`" for each in models), "columns": "---|" * len(models)}
    counted = {"other": boards.other_classes, "all": sum(row.images * len(row.cells) for row in others)}
    text = TEXT.format(**names) + "\n".join(map(str, same)) + "\n"
    text += OTHERS.format(**names, **counted) + "\n".join(map(str, others)) + "\n"
    text += COST.format(**names) + "\n".join(boards.costs()) + "\n"
    write_section(options.page, TITLE, text)
    return 1 if any(cell not in ("0", "-") for row in same for cell in row.cells) else 0


if __name__ == "__main__":
    sys.exit(main())
