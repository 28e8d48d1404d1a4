"""The table of converters: one for each format, and the distributions whose versions shape its files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..spec import ExportSpec, Format, Quantization
from . import onnx, tflite
from .base import ConvertedModel
from .calibration import Calibration

__all__ = ["CALIBRATED", "CONVERTERS", "distributions"]

CONVERTERS: Mapping[Format, Callable[[Any, ExportSpec, Calibration], ConvertedModel]] = {
    Format.TFLITE: tflite.convert,
    Format.ONNX: onnx.convert,
}
CALIBRATED = (Quantization.INT8, Quantization.INT16X8)

_DISTRIBUTIONS: Mapping[Format, tuple[str, ...]] = {
    Format.TFLITE: ("mnist-edge", "tensorflow", "keras", "ai-edge-litert"),
    Format.ONNX: ("mnist-edge", "tensorflow", "keras", "tf2onnx", "onnx", "onnxruntime"),
}


def distributions(spec: ExportSpec) -> tuple[str, ...]:
    """Return the distributions that took part in a file."""
    extra = ("ai-edge-quantizer",) if spec.quantization is Quantization.INT4 else ()
    return _DISTRIBUTIONS[spec.format] + extra
