"""Build the networks of the table. Keras is imported only then, so that their names are available immediately."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mnist_edge_runtime.model_file.contract import IMAGE_SHAPE

from .recipe import Recipe, augmented

__all__ = ["ARCHITECTURES", "SMALL", "Architecture", "count_macs"]


@dataclass(frozen=True)
class Architecture:
    """One row of the table: how to build the network, and its default recipes.

    `build` takes the number of classes and the dropout rate before the last layer. `small_recipe` is for data sets of
    fewer than `SMALL` training images, whose epochs have few steps.
    """

    build: Callable[..., Any]
    recipe: Recipe
    small_recipe: Recipe


SMALL = 10_000  # training images; data sets with fewer take `small_recipe`
_INPUT = (*IMAGE_SHAPE, 1)


def _classic(classes: int, dropout: float = 0.0) -> Any:
    """Three convolutions with pooling and one hidden layer: 110,474 parameters for ten classes."""
    import keras
    from keras import layers

    return keras.Sequential(
        [
            keras.Input(_INPUT, name="image"),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(128, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            *_dropout(dropout),
            layers.Dense(classes, activation="softmax"),
        ],
        name="classic",
    )


def _teacher(classes: int, dropout: float = 0.0) -> Any:
    convolutions = [*_conv(16), *_conv(32, 3, 2), *_conv(32), *_conv(32), *_conv(48, 3, 2), *_conv(56), *_conv(64)]
    return _network("teacher", [*convolutions, *_global_depthwise_conv(7)], classes, dropout)


def _base(classes: int, dropout: float = 0.0) -> Any:
    convolutions = [*_conv(16), *_conv(24, 3, 2), *_conv(24), *_conv(32), *_conv(32, 3, 2), *_conv(40), *_conv(40)]
    return _network("base", [*convolutions, *_global_depthwise_conv(7)], classes, dropout)


def _small(classes: int, dropout: float = 0.0) -> Any:
    from keras import layers

    convolutions = [*_conv(8, 5, 2), *_conv(8), *_conv(16, 3, 2), *_conv(24), *_conv(32, 3, 2)]
    hidden = [layers.Dense(64, use_bias=False), layers.BatchNormalization(), layers.ReLU()]
    return _network("small", [*convolutions, *_global_depthwise_conv(4), *hidden], classes, dropout)


def _tiny(classes: int, dropout: float = 0.0) -> Any:
    convolutions = [*_conv(8, 5, 2), *_conv(16), *_conv(16), *_conv(16, 3, 2), *_conv(16)]
    return _network("tiny", [*convolutions, *_global_depthwise_conv(7)], classes, dropout)


def _nano(classes: int, dropout: float = 0.0) -> Any:
    convolutions = [*_conv(8, 5, 2), *_conv(8), *_conv(8), *_conv(8), *_conv(8, 3, 2), *_conv(16)]
    return _network("nano", [*convolutions, *_global_depthwise_conv(7)], classes, dropout)


def _pico(classes: int, dropout: float = 0.0) -> Any:
    separable = [*_separable_conv(8), *_separable_conv(8), *_separable_conv(8)]
    halved = [*_separable_conv(16, 2), *_separable_conv(16, 2)]
    return _network("pico", [*_conv(8, 3, 2), *separable, *halved, *_global_depthwise_conv(4)], classes, dropout)


def _conv(filters: int, size: int = 3, stride: int = 1) -> list[Any]:
    """Return convolution, batch normalization and ReLU, which an export fuses into one operator."""
    from keras import layers

    convolution = layers.Conv2D(filters, size, strides=stride, padding="same", use_bias=False)
    return [convolution, layers.BatchNormalization(), layers.ReLU()]


def _separable_conv(filters: int, stride: int = 1) -> list[Any]:
    """Return a depthwise separable convolution of 3 x 3, with nothing between its parts, which saves parameters."""
    from keras import layers

    return [layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False), *_conv(filters, 1)]


def _global_depthwise_conv(size: int) -> list[Any]:
    """Return a global depthwise convolution (GDConv): learned position-wise pooling, with a kernel of the input's size.

    Source: S. Chen et al., "MobileFaceNets", 2018, https://arxiv.org/abs/1804.07573
    """
    from keras import layers

    convolution = layers.DepthwiseConv2D(size, use_bias=False)
    return [convolution, layers.BatchNormalization(), layers.ReLU(), layers.Flatten()]


def _network(name: str, features: list[Any], classes: int, dropout: float) -> Any:
    import keras
    from keras import layers

    output = [*_dropout(dropout), layers.Dense(classes, activation="softmax")]
    return keras.Sequential([keras.Input(_INPUT, name="image"), *features, *output], name=name)


def _dropout(share: float) -> list[Any]:
    from keras import layers

    return [layers.Dropout(share)] if share else []


_DEFAULT = augmented(
    "light",
    Recipe(
        epochs=60,
        batch_size=128,
        learning_rate=1e-2,
        warmup=0.05,
        final_learning_rate=0.0,
        weight_decay=0.01,
        ema=0.02,
        clean=0.1,
    ),
)
_SMALL_DEFAULT = replace(_DEFAULT, epochs=100, batch_size=32)

ARCHITECTURES: Mapping[str, Architecture] = {
    "classic": Architecture(
        _classic,
        recipe=Recipe(epochs=5, batch_size=128, learning_rate=1e-3),
        # With augmentation it reads nine of the ten pictures of `demo`, without it seven: the data set is small.
        small_recipe=augmented("light", Recipe(epochs=40, batch_size=128, learning_rate=1e-3)),
    ),
    # More photometric augmentation costs clean accuracy: `small` is worse with a fifth of the images than with a tenth.
    "teacher": Architecture(_teacher, _DEFAULT, _SMALL_DEFAULT),
    "base": Architecture(_base, _DEFAULT, _SMALL_DEFAULT),
    "small": Architecture(_small, replace(_DEFAULT, epochs=150), _SMALL_DEFAULT),
    "tiny": Architecture(_tiny, replace(_DEFAULT, photometric=0.15), _SMALL_DEFAULT),
    "nano": Architecture(_nano, _DEFAULT, _SMALL_DEFAULT),
    "pico": Architecture(_pico, _DEFAULT, _SMALL_DEFAULT),
}


def count_macs(model: Any) -> int:
    """Count the multiply-accumulates (MACs) of one inference: each kernel's size times its output positions."""
    return sum(
        math.prod(layer.kernel.shape) * math.prod(layer.output.shape[1:-1])
        for layer in model.layers
        if hasattr(layer, "kernel")
    )
