"""Compare the logits of int8 TFLite files on every target with those of the integer network; write docs/integer.md.

    PYTHONPATH=emulators python benchmarks/targets.py MODEL.tflite ...

The targets are the engines of this machine, C and JavaScript here, emulated boards, and emulated chips. An .onnx file
beside a model is compared with onnxruntime here. Fails where a single logit differs that must not.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from integer import litert, tflm
from mnist_edge_emulators.microcontroller import figures
from mnist_edge_exporters.c_source import project as c_project
from mnist_edge_exporters.c_source import proof as c_proof
from mnist_edge_exporters.integer import rounding, tflite_reader
from mnist_edge_exporters.integer.evaluate import evaluate
from mnist_edge_exporters.javascript import project as js_project
from mnist_edge_exporters.javascript import proof as js_proof
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_trainer.data import datasets
from page_sections import write_section
from target_boards import Boards
from target_rows import Model, Raw, Row, differing
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
