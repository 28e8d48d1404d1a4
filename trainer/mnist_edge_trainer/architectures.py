"""The table of networks. Keras is imported only when one is built, so that the names can be had at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["ARCHITECTURES", "SMALL", "Architecture", "Recipe", "count_macs"]


@dataclass(frozen=True)
class Recipe:
    """How a network is trained."""

    epochs: int
    batch_size: int
    learning_rate: float


@dataclass(frozen=True)
class Architecture:
    """One row of the table: how to build the network for a number of classes, and its default recipes.

    `small_recipe` is for data sets below `SMALL` training images, whose epochs have few steps.
    """

    build: Callable[[int], Any]
    recipe: Recipe
    small_recipe: Recipe


SMALL = 10_000


def _classic(classes: int) -> Any:
    """Three convolutions with pooling and one hidden layer: 110,474 parameters for ten classes."""
    import keras
    from keras import layers

    return keras.Sequential(
        [
            keras.Input((28, 28, 1), name="image"),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(128, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dense(classes, activation="softmax"),
        ],
        name="classic",
    )


ARCHITECTURES: Mapping[str, Architecture] = {
    "classic": Architecture(
        _classic,
        recipe=Recipe(epochs=5, batch_size=128, learning_rate=1e-3),
        small_recipe=Recipe(epochs=30, batch_size=128, learning_rate=1e-3),
    ),
}


def count_macs(model: Any) -> int:
    """Return the multiply-accumulates of one inference: of each kernel, its size times the positions it visits."""
    return sum(
        math.prod(layer.kernel.shape) * math.prod(layer.output.shape[1:-1])
        for layer in model.layers
        if hasattr(layer, "kernel")
    )
