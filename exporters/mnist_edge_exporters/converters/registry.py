"""The table of converters: all that the exporters know of a format, one row each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from mnist_edge_runtime.engines.base import Engine
from mnist_edge_runtime.model_file.contract import Contract, InputSpec
from numpy.typing import NDArray

from ..spec import ExportSpec
from . import onnx, tflite
from .base import Activation, ConvertedModel
from .calibration import Calibration

__all__ = ["CONVERTERS", "ConverterInfo", "distributions"]


@dataclass(frozen=True)
class ConverterInfo:
    """One row of the table of converters; its functions import what is heavy when they are called.

    Attributes:
        convert: makes the plain model from a checked Keras model, an `ExportSpec` of the format and the calibration
            set.
        activations: returns the output of each layer of a plain model by a name that is the same in the float and in
            the quantized file, in the order of the graph. Its arguments are the model, how its input tensor is read,
            and uint8 images (N, 28, 28).
        requirements: returns the versions that a plain model asks of a runtime, by name: "CONV_2D" or "opset" -> 5.
        distributions: the distributions whose versions shape the files.
        also_for: targets that a file must load on by their table of versions, though they are not installed.
        other_kernels: for each further family of kernels that computes golden logits here, what loads a plain model
            into it.
    """

    convert: Callable[[Any, ExportSpec, Calibration], ConvertedModel]
    activations: Callable[[bytes, InputSpec, NDArray[np.uint8]], Mapping[str, Activation]]
    requirements: Callable[[bytes], Mapping[str, int]]
    distributions: tuple[str, ...]
    also_for: tuple[str, ...] = ()
    other_kernels: Mapping[str, Callable[[bytes, Contract], Engine]] = field(default_factory=dict)


CONVERTERS: Mapping[str, ConverterInfo] = {
    "tflite": ConverterInfo(
        convert=tflite.convert,
        activations=tflite.activations,
        requirements=tflite.requirements,
        distributions=("mnist-edge", "tensorflow", "keras", "ai-edge-litert"),
        also_for=("tflite-runtime==2.14.0",),  # the last of its line
        other_kernels={"builtin": tflite.load_builtin_kernels},
    ),
    "onnx": ConverterInfo(
        convert=onnx.convert,
        activations=onnx.activations,
        requirements=onnx.requirements,
        distributions=("mnist-edge", "tensorflow", "keras", "tf2onnx", "onnx", "onnxruntime"),
    ),
}


def distributions(spec: ExportSpec) -> tuple[str, ...]:
    """Return the distributions that took part in a file."""
    extra = spec.info.needs_extra
    return CONVERTERS[spec.format].distributions + ((extra.replace("_", "-"),) if extra else ())
