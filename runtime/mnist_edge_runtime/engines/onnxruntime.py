"""Run ONNX files with onnxruntime."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

import numpy as np

from ..model_file.contract import Contract
from .base import Engine, LoadedModel, TensorInfo, check_contract, only
from .tensor_codec import Tensor, decoder, encoder

__all__ = ["load", "load_model", "saturates", "session"]

_BATCH = 32
_DTYPES = {"float": "float32", "double": "float64"}  # the others have numpy's names
# Of onnxruntime: multiply uint8 by uint8 in place of uint8 by int8. The sums are the same, and never saturate.
_EXACT = "session.x64quantprecision"
# An ONNX model: y = MatMulInteger(a, b) of a, uint8 (rows, 4), and b, int8, which is four times 127.
_PROBE = (
    b'\x08\x08:^\n\x18\n\x01a\n\x01b\x12\x01y"\rMatMulInteger\x12\x05probe*\x0f\x08\x04\x08\x01\x10\x03B\x01bJ\x04\x7f\x7f\x7f\x7f'
    b"Z\x14\n\x01a\x12\x0f\n\r\x08\x02\x12\t\n\x03\x12\x01n\n\x02\x08\x04b\x14\n\x01y\x12\x0f\n\r\x08\x06\x12\t\n\x03\x12\x01n\n\x02\x08\x01B\x04\n\x00\x10\r"
)


def session(payload: bytes, threads: int = 1, library: str = "onnxruntime") -> Any:
    """Return the session of a model. Every session of the product is made here, with the same options."""
    return _session(payload, threads, library, exact=saturates(library))


@cache
def saturates(library: str = "onnxruntime") -> bool:
    """Return whether onnxruntime's usual kernels for int8 saturate on this processor, by a product that shows it.

    On x86 without VNNI they add two products in 16 bits (onnxruntime#14642), and a model may answer wrongly. The
    processor's description is not asked: only Linux has one, and under an emulator it is that of another processor.
    """
    probe = _session(_PROBE, 1, library, exact=False)
    rows = np.full((8, 4), 255, np.uint8)
    # One row and several rows have kernels of their own.
    return any((probe.run(["y"], {"a": some})[0] != 4 * 255 * 127).any() for some in (rows[:1], rows))


def _session(payload: bytes, threads: int, library: str, *, exact: bool) -> Any:
    ort = import_module(library)
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # warnings are about graphs in the making, not about files in use
    if exact:
        options.add_session_config_entry(_EXACT, "1")
    return ort.InferenceSession(payload, options, providers=["CPUExecutionProvider"])


def load_model(payload: bytes, threads: int, library: str) -> LoadedModel:
    """Return the model; raises whatever onnxruntime raises when it cannot run the file."""
    made = session(payload, threads, library)
    image, answer = only(made.get_inputs()), only(made.get_outputs())
    # Looked up once: a single image is a matter of microseconds.
    run, source, targets = made.run, image.name, [answer.name]

    def run_once(images: Tensor) -> Tensor:
        (answers,) = run(targets, {source: images})
        return answers

    return LoadedModel(_info(image), _info(answer), run_once)


def load(payload: bytes, contract: Contract, threads: int, library: str) -> Engine:
    """Return the engine; raises whatever onnxruntime raises when it cannot run the file."""
    model = load_model(payload, threads, library)
    check_contract(model, contract)
    # Dynamic quantization takes the range of a whole batch: an answer would depend on the other images in it.
    batch = 1 if contract.quantization == "dynamic" else _BATCH
    return Engine(model.run, model.run, batch, encoder(contract.input), decoder(contract.output))


def _info(tensor: Any) -> TensorInfo:
    dtype = tensor.type.removeprefix("tensor(").removesuffix(")")
    # A size that is free is a name or None.
    shape = tuple(size if isinstance(size, int) and size > 0 else 1 for size in tensor.shape)
    return TensorInfo(_DTYPES.get(dtype, dtype), shape)
