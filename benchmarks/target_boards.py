"""Compare the logits on the emulated boards with those of the integer network; imported by `targets.py`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import boards_c
import numpy as np
from mnist_edge_emulators.microcontroller import figures
from mnist_edge_emulators.raspberry_pi import jobs, root
from mnist_edge_emulators.raspberry_pi.boards import BOARDS
from mnist_edge_runtime import Classifier
from numpy.typing import NDArray
from target_rows import Model, Raw, Row, differing

__all__ = ["Boards"]

COUNTED = Path(__file__).parents[1] / "docs" / "boards.json"


class Boards:
    """The emulated boards, and what they answered."""

    def __init__(self, models: Sequence[Model], images: Raw) -> None:
        """Take int8 TFLite files, which may have .onnx files beside them, and images."""
        self.models, self.images = models, images
        self.devices = [root.device(board, _say) for board in BOARDS.values()]
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
        counted = json.loads(COUNTED.read_text(encoding="utf-8"))["instructions"]
        keys = [f"{figures.name(each.file)} tflite int8" for each in self.models]
        for row in self.instructions:
            yield f"| {row.target} | {' | '.join(row.cells)} |"
            for engine, counts in counted.get(row.target.strip("`"), {}).items():
                if engine != "onnxruntime":
                    cells = [f"{counts[key]['engine'] / 1e6:.2f}" for key in keys]
                    yield f"| {row.target} | {engine} | {' | '.join(cells)} |"


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr)
