"""Run a model on its engine alone, as the engine's documentation does it: nothing checked, everything looked up before.

Benchmarks compare the runtime with it; emulated boards count its instructions.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from mnist_edge_runtime.engines import onnxruntime
from mnist_edge_runtime.engines.registry import ENGINES
from mnist_edge_runtime.engines.tensor_codec import Tensor

__all__ = ["Run", "load"]

Run = Callable[[Tensor], Tensor]


def load(engine: str, payload: bytes, batch: int = 1) -> Run:
    """Return a function from input tensor to raw output, on one thread.

    Args:
        engine: the runtime's name of the engine.
        payload: the plain model.
        batch: number of images in every input tensor.
    """
    if engine == "onnxruntime":
        return _onnxruntime(payload)
    return _tflite(import_module(ENGINES[engine].library), payload, batch)


def _tflite(library: Any, payload: bytes, batch: int) -> Run:
    interpreter = library.Interpreter(model_content=payload, num_threads=1)
    image, logits = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    source, target = image["index"], logits["index"]
    interpreter.resize_tensor_input(source, (batch, *image["shape"][1:]))
    interpreter.allocate_tensors()
    set_tensor, invoke, get_tensor = interpreter.set_tensor, interpreter.invoke, interpreter.get_tensor

    def run(tensor: Tensor) -> Tensor:
        set_tensor(source, tensor)
        invoke()
        return get_tensor(target)

    return run


def _onnxruntime(payload: bytes) -> Run:
    session = onnxruntime.session(payload)
    source, targets = session.get_inputs()[0].name, [session.get_outputs()[0].name]
    return lambda tensor: session.run(targets, {source: tensor})[0]
