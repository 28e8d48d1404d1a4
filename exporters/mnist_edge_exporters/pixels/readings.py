"""List the readings of pixels: orientation, polarity and scale of the images that networks are trained on.

A reading says how the image of the contract (pixel / 255, white on black, upright) becomes the network's. Its name
joins what differs from the contract by commas, as in `transposed,black-on-white,0..255`; the contract's own is `0..1`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from keras import layers
from mnist_edge_runtime.errors import UsageError
from mnist_edge_runtime.orientation import ORIENTATIONS, UPRIGHT, turned
from numpy.typing import NDArray

from . import scales
from .scales import Statistics, Tensor

__all__ = ["AS_AGREED", "Reading", "all_readings", "parse"]

POLARITIES = ("white-on-black", "black-on-white")


@dataclass(frozen=True)
class Reading:
    """How a network reads an image: orientation, polarity and scale, each a name."""

    orientation: str = UPRIGHT
    polarity: str = "white-on-black"
    scale: str = "0..1"

    def __str__(self) -> str:
        """Return the name, in which all that is as the contract has it is left out."""
        parts = {UPRIGHT: self.orientation, "white-on-black": self.polarity, "0..1": self.scale}
        return ",".join(part for usual, part in parts.items() if part != usual) or "0..1"

    @property
    def is_inverted(self) -> bool:
        return self.polarity == "black-on-white"

    def apply(self, image: Tensor, statistics: Statistics) -> Tensor:
        """Return images as the network reads them; a symbolic tensor gets the layers that do so.

        Args:
            image: float32 (N, 28, 28, 1) in 0..1, white on black, upright.
            statistics: of the training images as the contract has them.
        """
        if isinstance(image, np.ndarray):
            image = self.turn(image)
        else:
            transposed, rows, columns = ORIENTATIONS[self.orientation]
            image = layers.Permute((2, 1, 3))(image) if transposed else image
            image = _reversed(image, (3, 2, 1)) if rows else image
            image = _reversed(image, (1, 3, 2)) if columns else image
        if line := scales.affine(self.scale):
            scale, offset = (-line[0], line[0] + line[1]) if self.is_inverted else line
            if isinstance(image, np.ndarray):
                return image * np.float32(scale) + np.float32(offset)
            return image if (scale, offset) == (1, 0) else layers.Rescaling(scale, offset)(image)
        image = layers.Rescaling(-1, 1)(image) if self.is_inverted else image
        return scales.OTHERS[self.scale](image, self._seen(statistics))

    def _seen(self, statistics: Statistics) -> Statistics:
        """Return the statistics of the images before the scale is applied."""
        pixels = np.stack([statistics.means, statistics.deviations])[..., np.newaxis]
        means, deviations = self.turn(pixels)[..., 0]
        oriented = replace(statistics, means=means, deviations=deviations)
        return oriented.inverted() if self.is_inverted else oriented

    @property
    def before_turning(self) -> Reading:
        """The reading, of upright images, that gives the same as this one once they are turned."""
        is_transposed = ORIENTATIONS[self.orientation][0]
        return Reading(UPRIGHT, self.polarity, scales.transposed(self.scale) if is_transposed else self.scale)

    def turn(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return images (N, 28, 28, 1) in the reading's orientation, without its polarity and scale."""
        return turned(images, self.orientation)


AS_AGREED = Reading()


def all_readings(statistics: Statistics) -> list[Reading]:
    """Return each product of orientation, polarity and scale, that of the contract first."""
    names = {
        "white-on-black": scales.candidates(statistics),
        "black-on-white": scales.candidates(statistics.inverted()),
    }
    return [
        Reading(orientation, polarity, scale)
        for polarity, orientation in product(POLARITIES, ORIENTATIONS)
        for scale in names[polarity]
    ]


def parse(name: str) -> Reading:
    """Return the reading of a name.

    Raises:
        UsageError: there is no such reading.
    """
    parts: dict[str, str] = {}
    for part in name.split(","):
        kind = "orientation" if part in ORIENTATIONS else "polarity" if part in POLARITIES else "scale"
        known = kind != "scale" or part in scales.OTHERS or scales.affine(part) is not None
        if kind in parts or not known:
            raise UsageError(
                f"--pixels {name}: {part!r} is "
                + (f"a second {kind}" if known else "unknown")
                + f"; give, separated by commas, an orientation ({', '.join(list(ORIENTATIONS)[1:])}), "
                f"a polarity (black-on-white) and a scale ({', '.join([*scales.NAMED, *scales.OTHERS])}, "
                "standardized:MEAN:DEVIATION, rescaled:SCALE:OFFSET), each of which may be left out"
            )
        parts[kind] = part
    return Reading(**parts)


def _reversed(image: Tensor, axes: tuple[int, int, int]) -> Tensor:
    """Reverse the axis that the permutation `axes` exchanges with the channels.

    It becomes a convolution with a permutation matrix: no quantizer takes the operators that reverse an axis.
    """
    turned = layers.Permute(axes)(image)
    size = turned.shape[-1]
    exchange = layers.Conv2D(size, 1, use_bias=False, trainable=False)
    result = layers.Permute(axes)(exchange(turned))
    exchange.set_weights([np.eye(size, dtype=np.float32)[::-1].reshape(1, 1, size, size)])
    return result
