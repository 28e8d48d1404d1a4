"""Run ONNX files with onnxruntime."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ..model_file.contract import Contract
from .base import Engine, LoadedModel, TensorInfo, check_contract, only
from .tensor_codec import Tensor, decoder, encoder

__all__ = ["load", "load_model", "session"]

_BATCH = 32
_DTYPES = {"float": "float32", "double": "float64"}  # the others have numpy's names


def session(payload: bytes, threads: int = 1, library: str = "onnxruntime") -> Any:
    """Return the session of a model. Every session of the product is made here, with the same options."""
    ort = import_module(library)
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # warnings are about graphs in the making, not about files in use
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
