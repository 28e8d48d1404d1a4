"""What `targets.py` compares: a file with its integer network, and a line of its tables for each target."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from mnist_edge_exporters.integer import tflite_reader
from mnist_edge_exporters.integer.evaluate import evaluate
from mnist_edge_runtime.model_file import sealed_model
from numpy.typing import NDArray

__all__ = ["Model", "Raw", "Row", "differing"]

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
