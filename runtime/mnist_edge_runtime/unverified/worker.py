"""Run a model without a contract, as the child of `UnverifiedClassifier`.

The arguments are an engine, the size of the model in bytes, and the limits on memory (bytes) and on time (seconds). On
stdin comes the model, then the pixels of one image after the other. On stdout go messages, each behind its length: a
JSON document about the model, then for each image `ANSWER` and the outputs as float32, or `FAILURE` and a reason.
"""

from __future__ import annotations

import json
import math
import os
import signal
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ..engines import loader
from ..engines.base import TensorInfo
from ..errors import reason
from ..model_file.contract import IMAGE_SHAPE

__all__ = ["ANSWER", "FAILURE", "LARGEST_MESSAGE", "main"]

ANSWER, FAILURE = b"a", b"f"
LARGEST_MESSAGE = 1 << 20  # bytes
_MOST_CLASSES = 100_000
_PIXELS = math.prod(IMAGE_SHAPE)


def main(engine: str, size: int, memory: int, seconds: int) -> int:
    """Limit this process, load the model, answer until stdin ends."""
    import resource  # Windows has none, and the parent, which says so there, imports this module

    source, target = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
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
        model = loader.load_unverified(source.read(size), engine)
        encode, decode = _encoder(model.input), _decoder(model.output)
        classes = len(decode(model.run(encode(np.zeros(_PIXELS, np.uint8)))))
        greeting: dict[str, Any] = {"classes": classes, "assumptions": _assumptions(model.input, classes)}
    except ModuleNotFoundError:
        greeting = {"missing": True}
    except Exception as error:  # engines fail in ways of their own
        greeting = {"error": reason(error)}
    _send(target, json.dumps(greeting).encode())
    while "classes" in greeting:
        signal.alarm(0)
        pixels = source.read(_PIXELS)
        if len(pixels) < _PIXELS:
            break
        signal.alarm(seconds)
        try:
            answer = decode(model.run(encode(np.frombuffer(pixels, np.uint8))))
            if len(answer) != classes:
                raise ValueError(f"its output has {len(answer)} values for this image, for a black one {classes}")
        except Exception as error:
            _send(target, FAILURE + reason(error).encode())
        else:
            _send(target, ANSWER + answer.tobytes())
    return 0


def _send(target: BinaryIO, message: bytes) -> None:
    target.write(len(message).to_bytes(4, "little") + message)
    target.flush()


def _encoder(spec: TensorInfo) -> Callable[[NDArray[np.uint8]], NDArray[np.generic]]:
    """Return the function from the pixels of one image, uint8 and flat, to the input tensor."""
    if math.prod(spec.shape) != _PIXELS:
        height, width = IMAGE_SHAPE
        raise ValueError(f"its input has the shape {spec.shape}, expected one image of {height} x {width}")
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


def _decoder(spec: TensorInfo) -> Callable[[NDArray[Any]], NDArray[np.float32]]:
    """Return the function from the output tensor to one float32 a class."""

    def decode(raw: NDArray[Any]) -> NDArray[np.float32]:
        answer = np.asarray(raw, np.float32).ravel()
        if not 2 <= len(answer) <= _MOST_CLASSES:
            raise ValueError(f"its output has {len(answer)} values, expected one a class")
        return (answer - np.float32(spec.zero_point)) * np.float32(spec.scale) if spec.scale else answer

    return decode


def _assumptions(image: TensorInfo, classes: int) -> str:
    if np.dtype(image.dtype).kind == "f":
        meaning = "pixel / 255"
    elif image.scale:
        meaning = f"pixel / 255 by scale {image.scale:.6g} and zero point {image.zero_point}"
    else:
        meaning = "pixel" if image.dtype == "uint8" else "pixel - 128"
    return f"input {image.dtype} {image.shape} is taken as {meaning}, white on black; labels as 0 to {classes - 1}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], *map(int, sys.argv[2:])))
