"""Collect the test images whose answer an export changed, with both answers."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from mnist_edge_runtime import InputError
from numpy.typing import NDArray

from ..source import Source
from .evidence import Evidence
from .images import png_data_uri

__all__ = ["ChangedPrediction", "collect", "picture"]


@dataclass(frozen=True)
class ChangedPrediction:
    """A test image on which files differ from the Keras model.

    Attributes:
        image: its index in the test set.
        picture: a PNG of it as a data URI, dark ink on white.
        true, reference, answer: its label, the Keras model's answer and that of the files.
        margin: the Keras model's, between the two answers; 0 to 1.
        files: the files that give this answer, with their runtimes.
    """

    image: int
    picture: str
    true: str
    reference: str
    answer: str
    margin: float
    files: tuple[str, ...]

    @property
    def effect(self) -> str:
        """Whether the change made it "worse", "better" or "wrong either way"."""
        return "worse" if self.reference == self.true else "better" if self.answer == self.true else "wrong either way"


def collect(evidence: Sequence[Evidence], source: Source) -> list[ChangedPrediction]:
    """Return every changed answer of every file, the largest margin first.

    Raises:
        InputError: a file was proven on another test set.
    """
    images, labels = source.test
    found: dict[tuple[int, int], dict[str, list[str]]] = {}
    facts: dict[tuple[int, int], tuple[int, float]] = {}
    for each in evidence:
        for verdict in each.verdicts:
            for changed in verdict.figures["changed_predictions"] if verdict.figures else ():
                index, answer = changed["image"], changed["answer"]
                if index >= len(images) or labels[index] != changed["true"]:
                    raise InputError(f"{each.file}: was proven on another test set than the run's; export it again")
                found.setdefault((index, answer), {}).setdefault(each.variant, []).append(verdict.target.engine)
                facts[index, answer] = changed["reference"], changed["margin"]
    listed = [
        ChangedPrediction(
            image=index,
            picture=picture(images[index]),
            true=source.labels[labels[index]],
            reference=source.labels[facts[index, answer][0]],
            answer=source.labels[answer],
            margin=facts[index, answer][1],
            files=tuple(f"{variant} on {' and '.join(engines)}" for variant, engines in files.items()),
        )
        for (index, answer), files in found.items()
    ]
    return sorted(listed, key=lambda changed: (-changed.margin, changed.image))


def picture(image: NDArray[np.uint8]) -> str:
    """Return a uint8 image (28, 28), white on black, as the data URI of a PNG with dark ink on white."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(255 - image).save(buffer, "png", optimize=True)
    return png_data_uri(buffer.getvalue())
