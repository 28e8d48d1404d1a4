"""Run TFLite files with LiteRT or its predecessor tflite-runtime: two distributions with one `Interpreter`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from ..model_file.contract import Contract
from .base import Engine, LoadedModel, TensorInfo, check_contract, only
from .tensor_codec import Tensor, decoder, encoder

__all__ = ["load", "load_model"]

_BATCH = 8


def load_model(payload: bytes, threads: int, library: str, **options: object) -> LoadedModel:
    """Return the model; raises whatever the library raises when it cannot run the file."""
    interpreter = _interpreter(payload, threads, library, options)
    interpreter.allocate_tensors()
    image, answer = only(interpreter.get_input_details()), only(interpreter.get_output_details())
    return LoadedModel(_info(image), _info(answer), _runner(interpreter))


def load(payload: bytes, contract: Contract, threads: int, library: str, **options: object) -> Engine:
    """Return the engine; raises whatever the library raises when it cannot run the file."""
    model = load_model(payload, threads, library, **options)
    check_contract(model, contract)
    one = model.run
    whole_batch: Callable[[Tensor], Tensor] | None = None

    def many(images: Tensor) -> Tensor:
        nonlocal whole_batch
        if len(images) < _BATCH:
            return _one_by_one(one, images)
        # Made for the first whole batch: programs that classify single images do not pay for it. Resizing one
        # interpreter to and fro would cost more than it gains.
        if whole_batch is None:
            whole_batch = _batched(_interpreter(payload, threads, library, options), one) or (
                lambda images: _one_by_one(one, images)
            )
        return whole_batch(images)

    return Engine(one, many, _BATCH, encoder(contract.input), decoder(contract.output))


def _interpreter(payload: bytes, threads: int, library: str, options: dict[str, object]) -> Any:
    return import_module(library).Interpreter(model_content=payload, num_threads=threads, **options)


def _info(details: dict[str, Any]) -> TensorInfo:
    dtype, shape = np.dtype(details["dtype"]).name, tuple(map(int, details["shape"]))
    return TensorInfo(dtype, shape, *details["quantization"])


def _runner(interpreter: Any) -> Callable[[Tensor], Tensor]:
    """Return the function that runs the interpreter, for one thread at a time."""
    # Looking these up for every image costs more than the smallest networks.
    source, target = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    set_tensor, invoke, get_tensor = interpreter.set_tensor, interpreter.invoke, interpreter.get_tensor
    lock = threading.Lock()  # a per-thread interpreter would be no faster and use more memory

    def run(images: Tensor) -> Tensor:
        with lock:
            set_tensor(source, images)
            invoke()
            return get_tensor(target)

    return run


def _one_by_one(one: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    return np.concatenate([one(image[np.newaxis]) for image in images])


def _batched(interpreter: Any, one: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor] | None:
    """Return the function that runs whole batches; None for a network that answers otherwise then.

    A TFLite file has batch size 1. Most networks can be resized; one that reshapes to a fixed size cannot.
    """
    (image,) = interpreter.get_input_details()
    shape, dtype = (_BATCH, *image["shape"][1:]), np.dtype(image["dtype"])
    # Shades that differ from image to image; of a float input these are the real values.
    shades = (np.arange(np.prod(shape)) * 7919 % 256).reshape(shape)
    images = shades.astype(dtype) / dtype.type(255) if dtype.kind == "f" else shades.astype(dtype)
    try:
        interpreter.resize_tensor_input(image["index"], shape)
        interpreter.allocate_tensors()
        run = _runner(interpreter)
        answers, expected = run(images), _one_by_one(one, images)
    except (RuntimeError, ValueError):
        return None
    return run if answers.shape == expected.shape and np.allclose(answers, expected, atol=1e-3) else None
