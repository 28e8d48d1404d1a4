"""onnxruntime."""

from __future__ import annotations

from importlib import import_module

import numpy as np
from numpy.typing import NDArray

from ..contract import Contract
from .tensors import decoder, encoder

__all__ = ["OnnxEngine", "load"]

_BATCH = 256  # larger ones gain nothing and cost memory


class OnnxEngine:
    """One CPU session, which any number of threads may share."""

    def __init__(self, payload: bytes, contract: Contract, threads: int, library: str) -> None:
        ort = import_module(library)
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3  # warnings are about graphs in the making, not about files in use
        self._session = ort.InferenceSession(payload, options, providers=["CPUExecutionProvider"])
        (image,), (logits,) = self._session.get_inputs(), self._session.get_outputs()
        _agree("input", image, contract.input.dtype, contract.input.shape)
        _agree("output", logits, contract.output.dtype, (1, len(contract.labels)))
        self._input, self._output = image.name, [logits.name]
        self._encode, self._decode = encoder(contract.input), decoder(contract.output)
        # Dynamic quantization takes the range of a whole batch: an answer would depend on the other images in it.
        self._batch = 1 if contract.quantization == "dynamic" else _BATCH

    def run(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the logits, float32 (N, classes), of uint8 images (N, 28, 28)."""
        batches = [
            self._session.run(self._output, {self._input: self._encode(pixels[start : start + self._batch])})[0]
            for start in range(0, len(pixels), self._batch)
        ]
        return self._decode(np.concatenate(batches))


def load(payload: bytes, contract: Contract, threads: int, library: str) -> OnnxEngine:
    """Return the engine; raises whatever onnxruntime raises when it cannot run the file."""
    return OnnxEngine(payload, contract, threads, library)


def _agree(which: str, value: object, dtype: str, shape: tuple[int, ...]) -> None:
    """Raise ValueError where the tensor in the file is not the one the contract describes; its batch is free."""
    found_type, found_shape = value.type, tuple(value.shape)  # type: ignore[attr-defined]
    expected = "tensor(float)" if dtype == "float32" else f"tensor({dtype})"
    if found_type != expected or found_shape[1:] != shape[1:]:
        raise ValueError(f"its {which} is {found_type} {found_shape}, its contract says {dtype} {shape}")
