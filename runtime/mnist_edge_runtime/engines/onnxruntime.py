"""onnxruntime."""

from __future__ import annotations

from importlib import import_module

from ..model_file.contract import Contract
from .base import Engine
from .tensor_codec import Tensor, decoder, encoder

__all__ = ["load"]

_BATCH = 32


def load(payload: bytes, contract: Contract, threads: int, library: str) -> Engine:
    """Return the engine; raises whatever onnxruntime raises when it cannot run the file."""
    ort = import_module(library)
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # warnings are about graphs in the making, not about files in use
    session = ort.InferenceSession(payload, options, providers=["CPUExecutionProvider"])
    (image,), (logits,) = session.get_inputs(), session.get_outputs()
    _agree("input", image, contract.input.dtype, contract.input.shape)
    _agree("output", logits, contract.output.dtype, (1, len(contract.labels)))
    run, source, targets = session.run, image.name, [logits.name]

    def many(images: Tensor) -> Tensor:
        (answers,) = run(targets, {source: images})
        return answers

    # Dynamic quantization takes the range of a whole batch: an answer would depend on the other images in it.
    batch = 1 if contract.quantization == "dynamic" else _BATCH
    return Engine(many, many, batch, encoder(contract.input), decoder(contract.output))


def _agree(which: str, value: object, dtype: str, shape: tuple[int, ...]) -> None:
    """Raise ValueError where the tensor in the file is not the one the contract describes; its batch is free."""
    found_type, found_shape = value.type, tuple(value.shape)  # type: ignore[attr-defined]
    expected = "tensor(float)" if dtype == "float32" else f"tensor({dtype})"
    if found_type != expected or found_shape[1:] != shape[1:]:
        raise ValueError(f"its {which} is {found_type} {found_shape}, its contract says {dtype} {shape}")
