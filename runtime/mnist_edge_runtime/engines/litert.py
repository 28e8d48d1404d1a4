"""LiteRT and its predecessor tflite-runtime: two distributions with one `Interpreter`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from ..model_file.contract import Contract
from .base import Engine
from .tensor_codec import Tensor, decoder, encoder

__all__ = ["load"]

_BATCH = 8


def load(payload: bytes, contract: Contract, threads: int, library: str, **options: object) -> Engine:
    """Return the engine; raises whatever the library raises when it cannot run the file."""

    def interpreter() -> Any:
        return import_module(library).Interpreter(model_content=payload, num_threads=threads, **options)

    single = interpreter()
    single.allocate_tensors()
    (image,), (logits,) = single.get_input_details(), single.get_output_details()
    _agree("input", image, contract.input.dtype, contract.input.shape, contract.input.scale)
    _agree("output", logits, contract.output.dtype, (1, len(contract.labels)), contract.output.scale)
    one = _runner(single)
    whole_batch: Callable[[Tensor], Tensor] | None = None

    def many(images: Tensor) -> Tensor:
        nonlocal whole_batch
        if len(images) < _BATCH:
            return _one_by_one(one, images)
        # Made when the first whole batch comes: who reads single images does not pay for it. Resizing one interpreter
        # to and fro would cost more than it gains.
        whole_batch = whole_batch or _batched(interpreter(), one) or (lambda images: _one_by_one(one, images))
        return whole_batch(images)

    return Engine(one, many, _BATCH, encoder(contract.input), decoder(contract.output))


def _runner(interpreter: Any) -> Callable[[Tensor], Tensor]:
    """Return the function that runs the interpreter, for one thread at a time."""
    # Looking these up for every image costs more than the smallest networks.
    source, target = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    set_tensor, invoke, get_tensor = interpreter.set_tensor, interpreter.invoke, interpreter.get_tensor
    lock = threading.Lock()  # an interpreter for each thread costs as much to find and more memory

    def run(images: Tensor) -> Tensor:
        with lock:
            set_tensor(source, images)
            invoke()
            return get_tensor(target)

    return run


def _one_by_one(one: Callable[[Tensor], Tensor], images: Tensor) -> Tensor:
    return np.concatenate([one(image[np.newaxis]) for image in images])


def _batched(interpreter: Any, one: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor] | None:
    """Return what runs whole batches, None for a network that does not answer then as it does one by one.

    A TFLite file has batch size 1. Most networks can be resized; one that reshapes to a fixed size cannot.
    """
    (image,) = interpreter.get_input_details()
    # Shades that differ from image to image; of a float input these are the real values.
    shades = (np.arange(_BATCH * 784) * 7919 % 256).reshape(_BATCH, *image["shape"][1:])
    shape, dtype = shades.shape, np.dtype(image["dtype"])
    images = shades.astype(dtype) / dtype.type(255) if dtype.kind == "f" else shades.astype(dtype)
    try:
        interpreter.resize_tensor_input(image["index"], shape)
        interpreter.allocate_tensors()
        run = _runner(interpreter)
        answers, expected = run(images), _one_by_one(one, images)
    except (RuntimeError, ValueError):
        return None
    return run if answers.shape == expected.shape and np.allclose(answers, expected, atol=1e-3) else None


def _agree(which: str, details: dict[str, Any], dtype: str, shape: tuple[int, ...], scale: float) -> None:
    """Raise ValueError where the tensor in the file is not the one the contract describes."""
    found_dtype, found_shape = np.dtype(details["dtype"]).name, tuple(details["shape"])
    found_scale = details["quantization"][0]
    if found_dtype != dtype or found_shape != shape:
        raise ValueError(f"its {which} is {found_dtype} {found_shape}, its contract says {dtype} {shape}")
    if dtype != "float32" and not np.isclose(found_scale, scale, rtol=1e-6, atol=0):
        raise ValueError(f"its {which} scale is {found_scale}, its contract says {scale}")
