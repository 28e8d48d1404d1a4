"""Classify synthetic pictures with an exported file, through the whole preprocessing of a photo."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from mnist_edge_runtime import Classifier
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.preprocessing import mnist
from mnist_edge_runtime.preprocessing.image_io import load_picture
from mnist_edge_runtime.text_output import percent
from numpy.typing import NDArray
from PIL import Image

from ..options import repeated
from ..runs.plots import RIGHT, WRONG
from ..runs.run import Run
from .synthetic_digits import draw

__all__ = ["Reading", "draw_readings", "read_drawings", "summary"]

_PEN = 0.075  # half the stroke width, of the side: as bold as the bundled digits, which train no network for thin ones
_UNSURE = "#616161"
_TILTS = (-6.0, 4.0, 0.0, 8.0, -4.0, 3.0, -8.0, 5.0, 0.0, 6.0)  # degrees clockwise, of each digit


@dataclass(frozen=True)
class Reading:
    """A picture, the digit drawn in it, and the answer of the file, which may be too unsure to accept."""

    file: Path
    drawn: str
    label: str
    confidence: float
    accepted: bool

    def __str__(self) -> str:
        drawn = f"{'an' if self.drawn == '8' else 'a'} {self.drawn}"
        verdict = "" if self.label == self.drawn else f"   ({drawn} was drawn)"
        answer = f"{self.label}  " if self.accepted else f"unsure  perhaps {self.label}, "
        return f"{self.file}  ->  {answer}{percent(self.confidence)}{verdict}"


def read_drawings(model: Path, folder: Path) -> list[Reading]:
    """Draw the ten digits as PNG files into `folder`, classify each, and plot all as `readings.png`."""
    folder.mkdir(parents=True, exist_ok=True)
    readings = []
    with Classifier(sealed_model.read(model)) as classifier:  # no signature: it was made a moment ago
        for digit, tilt in zip("0123456789", _TILTS, strict=True):
            file = folder / f"{digit}.png"
            Image.fromarray(draw(digit, tilt=tilt, pen=_PEN)).save(file)
            prediction = classifier.classify(mnist.to_mnist(load_picture(file)))
            answer = prediction.label, prediction.confidence, prediction.accepted
            readings.append(Reading(file, digit, *answer))
    figure = draw_readings(
        [load_picture(reading.file) for reading in readings],
        [mnist.to_mnist(load_picture(reading.file)) for reading in readings],
        [(each.label, each.confidence, each.accepted, each.label == each.drawn) for each in readings],
    )
    figure.savefig(folder / "readings.png", dpi=120)
    return readings


def summary(run: Run, exports: str, model: Path, readings: Sequence[Reading], seconds: float) -> list[str]:
    """Return the lines that tell a person the outcome of the demo; `exports` is the table of the files."""
    pictures = run.folder / "pictures" / "readings.png"
    return [
        *(run.summary(), "", exports, "", f"Pictures drawn here and read by {model.name}:"),
        *(f"  {reading}" for reading in readings),
        *("", f"All of it took {seconds:.0f} seconds. To look at:"),
        *(f"  {path}" for path in (*sorted(run.folder.glob("*.png")), pictures)),
        *(
            "Next:",
            f"  {shlex.join(['mnist-edge', 'classify', '--model', str(model), str(readings[3].file)])}",
            f"  mnist-edge report --run {run.name}{repeated(run.folder.parent)}",
        ),
    ]


def draw_readings(pictures: Sequence[NDArray[np.uint8]], inputs: Sequence[NDArray[np.uint8]], answers: Any) -> Figure:
    """Plot pictures, below each the 28 x 28 input of the network, and below that its answer.

    Args:
        pictures: grey, uint8 (H, W).
        inputs: uint8 (28, 28), white on black.
        answers: of each picture, (label, confidence, whether it is accepted, whether it is right).
    """
    figure = Figure(figsize=(1.2 * len(pictures), 3.1), layout="constrained")
    columns = figure.subplots(2, len(pictures), squeeze=False).T
    for (upper, lower), picture, image, (label, confidence, accepted, right) in zip(
        columns, pictures, inputs, answers, strict=True
    ):
        answer = f"{label}\n{percent(confidence)}" if accepted else f"unsure\n{label}? {percent(confidence)}"
        colour = (RIGHT if right else WRONG) if accepted else _UNSURE
        upper.imshow(picture, cmap="gray", vmin=0, vmax=255)
        lower.imshow(image, cmap="gray", vmin=0, vmax=255)
        lower.set_xlabel(answer, color=colour, fontsize=12)
        for axes in (upper, lower):
            axes.set(xticks=[], yticks=[])
    columns[0][0].set_ylabel("picture")
    columns[0][1].set_ylabel("model input")
    return figure
