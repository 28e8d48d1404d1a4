"""The source of an export: a Keras model with the data that calibrates and proves its files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["LabelledImages", "Source"]

LabelledImages = tuple[NDArray[np.uint8], NDArray[np.int64]]  # images (N, 28, 28), label indices (N,)


@dataclass(frozen=True)
class Source:
    """A Keras model and its data.

    Attributes:
        name: the first part of the files' names.
        model: a network that `keras_model.load` returned.
        labels: the label of each class.
        origin: the entries of the contract about the origin of the model.
        train: the training split; calibration draws from it.
        validation: the validation split; thresholds and the best file are chosen on it.
        test: the whole test set; parity is counted on it.
        golden: the images of which a file carries some for its self-test.
        handwriting: draws digits in styles that no training saw, on which thresholds are chosen too; None for a network
            that was trained without generated handwriting.
        unchanged: keeps the model's file as it was read while the block publishes what was made of it, or raises
            InputError if it was replaced since; by default for a model that is in memory alone.
        network: the model without the layers that --pixels put in front of it; None where there are none.
    """

    name: str
    model: Any
    labels: tuple[str, ...]
    origin: Mapping[str, Any]
    train: LabelledImages
    validation: LabelledImages
    test: LabelledImages
    golden: LabelledImages
    handwriting: Callable[[], LabelledImages] | None = None
    unchanged: Callable[[], AbstractContextManager[None]] = nullcontext
    network: Any = None

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Say so where a file is missing because the run was replaced while the block used it.

        Raises:
            InputError: it was replaced.
        """
        try:
            yield
        except OSError:
            with self.unchanged():
                raise

    def held_out(self) -> dict[str, LabelledImages]:
        """Return the images that thresholds are chosen on, each set by its name in the contract."""
        sets = {"validation images": self.validation}
        return {**sets, "generated digits of held-out styles": self.handwriting()} if self.handwriting else sets

    @property
    def own_network(self) -> Any:
        """The model without the layers that --pixels put in front of it."""
        return self.model if self.network is None else self.network
