"""Check that a network reads the pixels that every device gives, before it is trained further."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from mnist_edge_runtime.errors import ModelError

from ..data.parts import Part

__all__ = ["check"]

_BETTER = 0.02  # accuracy that pixels on another scale must gain to be taken for those that trained the network
_LEAST = 0.5  # accuracy of a network that has learnt something
_TRIED = 1000  # validation images on which other scales are tried


def check(file: Path, model: Any, validation: Part, accuracy: float) -> None:
    """Refuse a network of other pixels than 0..1, white on black: fine-tuning would be a training from nothing.

    Args:
        file: of the network, for the message.
        model: ends in a softmax.
        validation: images that did not train it.
        accuracy: its accuracy on them.

    Raises:
        ModelError: it reads the images better on another scale, or not at all.
    """
    some = Part(validation.images[:_TRIED], validation.labels[:_TRIED])
    pixels = some.images[..., np.newaxis] / np.float32(255)
    as_is = _right(model, pixels, some)
    others = {
        "0..255": ("keras.layers.Rescaling(255)", pixels * 255),
        "-1..1": ("keras.layers.Rescaling(2, offset=-1)", pixels * 2 - 1),
        "black on white": ("keras.layers.Rescaling(-1, offset=1)", 1 - pixels),
    }
    rights = {scale: _right(model, each, some) for scale, (_, each) in others.items()}
    best = max(rights, key=lambda scale: rights[scale])
    if rights[best] > as_is + _BETTER:
        raise ModelError(
            f"{file}: was trained on other pixels: of {len(some.labels):,} validation images it reads "
            f"{rights[best]:.1%} as {best} and {as_is:.1%} as 0..1, white on black, which every device gives; save it "
            f"with the layer for that in front: keras.Sequential([keras.Input((28, 28, 1)), {others[best][0]}, "
            "*model.layers])"
        )
    if accuracy < _LEAST:
        raise ModelError(
            f"{file}: reads only {accuracy:.1%} of the {len(validation.labels):,} validation images; train it "
            "first, or name the data that it was trained on with --data"
        )


def _right(model: Any, pixels: Any, part: Part) -> float:
    return float((model.predict(pixels, batch_size=500, verbose=0).argmax(axis=1) == part.labels).mean())
