"""LiteRT and its predecessor tflite-runtime: two distributions with one `Interpreter`."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..contract import Contract
from .tensors import decoder, encoder

__all__ = ["LiteRTEngine", "load"]


class LiteRTEngine:
    """One interpreter, fed image by image: a TFLite file has batch size 1. Not for use by two threads at once."""

    def __init__(self, payload: bytes, contract: Contract, threads: int, library: str, **options: object) -> None:
        self._interpreter = import_module(library).Interpreter(model_content=payload, num_threads=threads, **options)
        self._interpreter.allocate_tensors()
        (image,) = self._interpreter.get_input_details()
        (logits,) = self._interpreter.get_output_details()
        _agree("input", image, contract.input.dtype, contract.input.shape, contract.input.scale)
        _agree("output", logits, contract.output.dtype, (1, len(contract.labels)), contract.output.scale)
        self._input, self._output = image["index"], logits["index"]
        self._encode, self._decode = encoder(contract.input), decoder(contract.output)

    def run(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the logits, float32 (N, classes), of uint8 images (N, 28, 28)."""
        # Bound once: looking these up for every image costs more than the smallest networks.
        set_tensor, invoke, get_tensor = (
            self._interpreter.set_tensor,
            self._interpreter.invoke,
            self._interpreter.get_tensor,
        )
        source, target = self._input, self._output
        rows = []
        for image in self._encode(pixels):
            set_tensor(source, image[np.newaxis])
            invoke()
            rows.append(get_tensor(target))
        return self._decode(np.concatenate(rows))


def load(payload: bytes, contract: Contract, threads: int, library: str) -> LiteRTEngine:
    """Return the engine; raises whatever the library raises when it cannot run the file."""
    return LiteRTEngine(payload, contract, threads, library)


def _agree(which: str, details: dict[str, Any], dtype: str, shape: tuple[int, ...], scale: float) -> None:
    """Raise ValueError where the tensor in the file is not the one the contract describes."""
    found_dtype, found_shape = np.dtype(details["dtype"]).name, tuple(details["shape"])
    found_scale = details["quantization"][0]
    if found_dtype != dtype or found_shape != shape:
        raise ValueError(f"its {which} is {found_dtype} {found_shape}, its contract says {dtype} {shape}")
    if dtype != "float32" and not np.isclose(found_scale, scale, rtol=1e-6, atol=0):
        raise ValueError(f"its {which} scale is {found_scale}, its contract says {scale}")
