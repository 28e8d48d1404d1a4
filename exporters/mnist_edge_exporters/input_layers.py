"""Put layers in front of a Keras model, so that it takes the images that every device gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from typing import Any

import keras
from mnist_edge_runtime.errors import ModelError
from mnist_edge_runtime.model_file.contract import IMAGE_SHAPE

__all__ = ["in_front", "take_images"]

_IMAGE = (*IMAGE_SHAPE, 1)
_PIXELS = prod(IMAGE_SHAPE)
# The other orders of axes in which networks take a grey image; all have its pixels in the same order.
_RESHAPED = (IMAGE_SHAPE, (_PIXELS,), (1, *IMAGE_SHAPE), (_PIXELS, 1), (1, _PIXELS))
_COLOURED = (*IMAGE_SHAPE, 3)


def in_front(model: Any, *layers: Callable[[Any], Any]) -> Any:
    """Return the model behind layers, on an input of images (None, 28, 28, 1); its weights are shared.

    Args:
        model: a model of one input and one output, in whatever structure it names them.
        layers: in the order in which an image passes through them; the last returns the model's own input.
    """
    image = tensor = keras.Input(_IMAGE, name="image")
    for layer in layers:
        tensor = layer(tensor)
    names = getattr(model, "_inputs_struct", None)
    answer = model(dict.fromkeys(names, tensor) if isinstance(names, Mapping) else tensor)
    return keras.Model(image, keras.tree.flatten(answer)[0], name=model.name)


def take_images(model: Any) -> Any:
    """Return the model on an input (None, 28, 28, 1) and with a plain output: itself, or behind a layer that fits.

    Raises:
        ModelError: its input is no grey image of 28 x 28 pixels, in whatever order of axes.
    """
    shape = tuple(model.inputs[0].shape)
    names = getattr(model, "_inputs_struct", None), getattr(model, "_outputs_struct", None)
    is_plain = not isinstance(names[0], Mapping) and not isinstance(names[1], (Mapping, list, tuple))
    if shape == (None, *_IMAGE) and is_plain:
        return model
    return in_front(model, *_fitting(shape[1:]))


def _fitting(axes: tuple[int | None, ...]) -> tuple[Callable[[Any], Any], ...]:
    """Return the layers that turn an image (28, 28, 1) into a tensor of these axes, of which None takes any length."""

    def takes(wanted: tuple[int, ...]) -> bool:
        return len(axes) == len(wanted) and all(
            axis in (None, length) for axis, length in zip(axes, wanted, strict=True)
        )

    if takes(_IMAGE):
        return ()
    for wanted in _RESHAPED:
        if takes(wanted):
            return (keras.layers.Reshape(wanted, name="own_axes"),)
    if takes(_COLOURED):
        return (lambda image: keras.layers.Concatenate(name="equal_channels")([image] * _COLOURED[-1]),)
    height, width = IMAGE_SHAPE
    found = " x ".join("any" if axis is None else str(axis) for axis in axes) or "a single number"
    raise ModelError(
        f"its input is {found}, expected images of {height} x {width} x 1 (or {height} x {width}, {_PIXELS}, "
        f"1 x {height} x {width}, or three equal channels); train it on such images, or put in front "
        "the step that made its images of them, such as keras.layers.Resizing(32, 32) or ZeroPadding2D(2), and save it"
    )
