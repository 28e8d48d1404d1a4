"""The child of `UnverifiedClassifier`; its arguments: an engine, the size of the model in bytes, the two limits.

On stdin comes the model, then 784 bytes an image; on stdout goes the length of a JSON document and the document, then
the outputs of each image as float32.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..engines.registry import ENGINES

__all__ = ["main"]

_PIXELS = 28 * 28
_ONNX_DTYPES = {"float": "float32", "float16": "float16", "double": "float64", "uint8": "uint8", "int8": "int8"}

Run = Callable[[NDArray[np.generic]], NDArray[Any]]


@dataclass(frozen=True)
class Tensor:
    """The input or output of a model; a scale of 0 means that it has none."""

    dtype: str
    shape: tuple[int, ...]
    scale: float = 0.0
    zero_point: int = 0


def main(engine: str, size: int, memory: int, seconds: int) -> int:
    """Limit this process, load the model, answer until stdin ends."""
    source, target = sys.stdin.buffer, os.fdopen(os.dup(1), "wb", buffering=0)
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)  # engines greet there, too
    for limit, most in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, 0)):
        resource.setrlimit(limit, (most, most))
    for number in (signal.SIGINT, signal.SIGTERM):  # they are for the parent, which ends this process
        signal.signal(number, signal.SIG_IGN)
    # The default action ends the process also when it is deep inside the engine.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(seconds)
    try:
        image, answer, run = _load(engine, source.read(size))
        encode = _encoder(image)
        decode = _decoder(answer)
        classes = len(decode(run(encode(np.zeros(_PIXELS, np.uint8)))))
        greeting: dict[str, Any] = {"classes": classes, "assumptions": _assumptions(image, classes)}
    except ModuleNotFoundError:
        greeting = {"missing": True}
    except Exception as error:  # engines fail in ways of their own
        greeting = {"error": (str(error).strip() or type(error).__name__).splitlines()[0]}
    document = json.dumps(greeting).encode()
    target.write(len(document).to_bytes(4, "little") + document)
    while "classes" in greeting:
        signal.alarm(0)
        pixels = source.read(_PIXELS)
        if len(pixels) < _PIXELS:
            break
        signal.alarm(seconds)
        target.write(decode(run(encode(np.frombuffer(pixels, np.uint8)))).tobytes())
    return 0


def _load(engine: str, payload: bytes) -> tuple[Tensor, Tensor, Run]:
    row = ENGINES[engine]
    library = import_module(row.library)
    image, answer, run = (_onnx if row.format == "onnx" else _tflite)(library, payload)
    if int(np.prod(image.shape)) != _PIXELS:
        raise ValueError(f"its input has the shape {image.shape}, expected one image of 28 x 28")
    return image, answer, run


def _tflite(library: Any, payload: bytes) -> tuple[Tensor, Tensor, Run]:
    interpreter = library.Interpreter(model_content=payload, num_threads=1)
    interpreter.allocate_tensors()
    source, target = _only(interpreter.get_input_details()), _only(interpreter.get_output_details())

    def run(tensor: NDArray[np.generic]) -> NDArray[Any]:
        interpreter.set_tensor(source["index"], tensor)
        interpreter.invoke()
        return interpreter.get_tensor(target["index"])

    image, answer = (
        Tensor(np.dtype(found["dtype"]).name, tuple(map(int, found["shape"])), *found["quantization"])
        for found in (source, target)
    )
    return image, answer, run


def _onnx(library: Any, payload: bytes) -> tuple[Tensor, Tensor, Run]:
    options = library.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = library.InferenceSession(payload, options, providers=["CPUExecutionProvider"])
    source, target = _only(session.get_inputs()), _only(session.get_outputs())

    def run(tensor: NDArray[np.generic]) -> NDArray[Any]:
        return session.run([target.name], {source.name: tensor})[0]

    dtypes = [_ONNX_DTYPES.get(found.type[len("tensor(") : -1], found.type) for found in (source, target)]
    # A size that is free, such as the batch's, is a name or None.
    shape = tuple(size if isinstance(size, int) and size > 0 else 1 for size in source.shape)
    return Tensor(dtypes[0], shape), Tensor(dtypes[1], ()), run


def _only(tensors: Any) -> Any:
    if len(tensors) != 1:
        raise ValueError(f"it has {len(tensors)} inputs or outputs, expected one of each")
    return tensors[0]


def _encoder(spec: Tensor) -> Callable[[NDArray[np.uint8]], NDArray[np.generic]]:
    """Return the function from pixels, uint8 (784,), to the input tensor."""
    dtype = np.dtype(spec.dtype)
    real = np.arange(256) / 255
    if dtype.kind == "f":
        table = real.astype(dtype)
    elif spec.dtype not in ("uint8", "int8"):
        raise ValueError(f"its input is {spec.dtype}, expected float32, uint8 or int8")
    else:
        limits = np.iinfo(dtype)
        steps = np.rint(real / spec.scale) + spec.zero_point if spec.scale else np.arange(256) + limits.min
        table = np.clip(steps, limits.min, limits.max).astype(dtype)
    return lambda pixels: table[pixels].reshape(spec.shape)


def _decoder(spec: Tensor) -> Callable[[NDArray[Any]], NDArray[np.float32]]:
    """Return the function from the output tensor to one float32 a class."""

    def decode(raw: NDArray[Any]) -> NDArray[np.float32]:
        answer = np.asarray(raw, np.float32).ravel()
        if len(answer) < 2:
            raise ValueError(f"its output has {len(answer)} values, expected one a class")
        return (answer - np.float32(spec.zero_point)) * np.float32(spec.scale) if spec.scale else answer

    return decode


def _assumptions(image: Tensor, classes: int) -> str:
    if np.dtype(image.dtype).kind == "f":
        meaning = "pixel / 255"
    elif image.scale:
        meaning = f"pixel / 255 by scale {image.scale:.6g} and zero point {image.zero_point}"
    else:
        meaning = "pixel" if image.dtype == "uint8" else "pixel - 128"
    return f"input {image.dtype} {image.shape} is taken as {meaning}, white on black; labels as 0 to {classes - 1}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], *map(int, sys.argv[2:])))
