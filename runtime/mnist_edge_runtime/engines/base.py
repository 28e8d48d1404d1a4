"""What every engine is to the rest of the runtime: a model file made ready to run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .tensor_codec import Tensor

__all__ = ["Engine"]


@dataclass(frozen=True)
class Engine:
    """A model file made ready to run, for any number of threads.

    Attributes:
        one: the library's own run of one image, tensor (1, 28, 28, 1) to raw output (1, classes).
        many: the same of up to `batch` images, (N, 28, 28, 1) to (N, classes).
        batch: how many images it is fastest with at once; larger ones gain nothing and cost memory.
        encode: from pixels, uint8 (N, 28, 28) or (28, 28), to the tensor.
        decode: from the raw output to logits, float32 of the same shape.
    """

    one: Callable[[Tensor], Tensor]
    many: Callable[[Tensor], Tensor]
    batch: int
    encode: Callable[[NDArray[np.uint8]], Tensor]
    decode: Callable[[Tensor], NDArray[np.float32]]

    def run_one(self, image: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the logits, float32 (classes,), of one uint8 image (28, 28)."""
        return self.decode(self.one(self.encode(image))[0])

    def run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the logits, float32 (N, classes), of uint8 images (N, 28, 28), at least one."""
        encode, many, batch = self.encode, self.many, self.batch
        parts = [many(encode(images[start : start + batch])) for start in range(0, len(images), batch)]
        return self.decode(np.concatenate(parts))
