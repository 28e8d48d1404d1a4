"""Read pictures of our own making with an exported file, the whole way a photo takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mnist_edge_runtime import Classifier, images
from mnist_edge_runtime.pictures import load_picture
from PIL import Image

from . import plots
from .drawings import draw

__all__ = ["Reading", "read_drawings"]

_PEN = 0.075  # a felt pen: the small bundled digits are as bold, and a network trained on them reads no thin ones
_TILTS = (-6.0, 4.0, 0.0, 8.0, -4.0, 3.0, -8.0, 5.0, 0.0, 6.0)  # degrees, so that no two pens are alike


@dataclass(frozen=True)
class Reading:
    """A picture, the digit drawn in it, and what the file said."""

    file: Path
    drawn: str
    label: str
    confidence: float

    def __str__(self) -> str:
        verdict = "" if self.label == self.drawn else f"   (a {self.drawn} was drawn)"
        return f"{self.file}  ->  {self.label}  {self.confidence:.1%}{verdict}"


def read_drawings(model: Path, folder: Path) -> list[Reading]:
    """Draw the ten digits as PNG files into `folder`, classify each, and draw `readings.png` of it all."""
    folder.mkdir(parents=True, exist_ok=True)
    readings = []
    with Classifier.load(model) as classifier:
        for digit, tilt in zip("0123456789", _TILTS, strict=True):
            file = folder / f"{digit}.png"
            Image.fromarray(draw(digit, tilt=tilt, pen=_PEN)).save(file)
            prediction = classifier.classify(images.read(file))
            readings.append(Reading(file, digit, prediction.label, prediction.confidence))
    figure = plots.readings(
        [load_picture(reading.file) for reading in readings],
        [images.read(reading.file) for reading in readings],
        [(reading.label, reading.confidence, reading.label == reading.drawn) for reading in readings],
    )
    figure.savefig(folder / "readings.png", dpi=120)
    return readings
