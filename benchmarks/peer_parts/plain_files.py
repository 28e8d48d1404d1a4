"""Run a plain TFLite or ONNX file of anybody's on images, and say which numbers it takes and gives."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Outcome", "run"]

_BATCH = 500  # images, of ONNX files with a free batch size


@dataclass(frozen=True)
class Outcome:
    """Attributes: the answers, (N, classes) as the file gives them, and the types of its two tensors."""

    answers: NDArray[Any]
    takes: str
    gives: str


def run(file: Path, images: NDArray[np.uint8]) -> Outcome:
    """Return the answers of a file to images, uint8 (N, 28, 28).

    A file of floats gets pixels / 255; one of integers gets these by the scale and zero point that it names.
    """
    return _tflite(file, images) if file.suffix == ".tflite" else _onnx(file, images)


def _tflite(file: Path, images: NDArray[np.uint8]) -> Outcome:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(file), num_threads=1)
    interpreter.allocate_tensors()
    source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    tensors = images[..., np.newaxis] / np.float32(255)
    if source["dtype"] != np.float32:
        scale, zero_point = source["quantization"]
        limits = np.iinfo(source["dtype"])
        tensors = np.clip(np.rint(tensors / scale + zero_point), limits.min, limits.max).astype(source["dtype"])
    answers = []
    for tensor in tensors:
        interpreter.set_tensor(source["index"], tensor.reshape(source["shape"]))
        interpreter.invoke()
        answers.append(interpreter.get_tensor(target["index"])[0])
    return Outcome(np.stack(answers), np.dtype(source["dtype"]).name, np.dtype(target["dtype"]).name)


def _onnx(file: Path, images: NDArray[np.uint8]) -> Outcome:
    from mnist_edge_runtime.engines import onnxruntime

    session = onnxruntime.session(file.read_bytes())
    source, target = session.get_inputs()[0], session.get_outputs()[0]
    names = {"tensor(float)": "float32", "tensor(uint8)": "uint8", "tensor(int8)": "int8"}
    # An ONNX file does not say what its integers mean; those of uint8 that are measured here take the pixels.
    tensors = images[..., np.newaxis]
    tensors = tensors if source.type == "tensor(uint8)" else tensors / np.float32(255)
    batch = _BATCH if not isinstance(source.shape[0], int) else source.shape[0]
    parts = [tensors[first : first + batch] for first in range(0, len(tensors), batch)]
    answers = np.concatenate([session.run([target.name], {source.name: part})[0] for part in parts])
    return Outcome(answers, names[source.type], names[target.type])
