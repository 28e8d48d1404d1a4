"""Define what each engine gives to the rest of the runtime: a model file ready to run."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..model_file.contract import Contract
from .tensor_codec import Tensor

__all__ = ["Engine", "LoadedModel", "TensorInfo", "check_contract", "only"]


class Engine(NamedTuple):
    """A model file ready to run, for any number of threads; a named tuple, since a dataclass takes longer to import.

    Attributes:
        one: the library's own run of one image, tensor (1, 28, 28, 1) to raw output (1, classes).
        many: the same of up to `batch` images, (N, 28, 28, 1) to (N, classes).
        batch: images in the fastest batch; larger ones gain nothing and cost memory.
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


class TensorInfo(NamedTuple):
    """The library's description of an input or output of a model.

    Attributes:
        dtype: as numpy calls it.
        shape: of one image; a free size, such as the batch's, counts as 1.
        scale: 0 where the tensor has none, None where the library does not tell.
        zero_point: 0 where there is no scale.
    """

    dtype: str
    shape: tuple[int, ...]
    scale: float | None = None
    zero_point: int = 0


class LoadedModel(NamedTuple):
    """A model with one input and one output, loaded into a library: all that is known of it without its contract."""

    input: TensorInfo
    output: TensorInfo
    run: Callable[[Tensor], Tensor]


def only(tensors: Sequence[Any]) -> Any:
    """Return the only input or output of a model.

    Raises:
        ValueError: there is another number of them.
    """
    if len(tensors) != 1:
        raise ValueError(f"it has {len(tensors)} inputs or outputs, expected one of each")
    return tensors[0]


def check_contract(model: LoadedModel, contract: Contract) -> None:
    """Compare the tensors of a model with its contract.

    Raises:
        ValueError: they differ.
    """
    classes = (1, len(contract.labels))
    for which, found, promised, shape in (
        ("input", model.input, contract.input, contract.input.shape),
        ("output", model.output, contract.output, classes),
    ):
        if (found.dtype, found.shape) != (promised.dtype, shape):
            raise ValueError(f"its {which} is {found.dtype} {found.shape}, its contract says {promised.dtype} {shape}")
        is_quantized = promised.dtype != "float32" and found.scale is not None
        if is_quantized and not math.isclose(found.scale or 0, promised.scale, rel_tol=1e-6):
            raise ValueError(f"its {which} scale is {found.scale}, its contract says {promised.scale}")
