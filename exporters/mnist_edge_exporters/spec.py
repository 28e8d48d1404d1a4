"""What can be exported: formats, quantizations, and the table of the cells that are offered."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mnist_edge_runtime.errors import UsageError

__all__ = ["OFFERED", "ExportSpec", "Format", "Quantization", "select"]


class Format(StrEnum):
    TFLITE = "tflite"
    ONNX = "onnx"


class Quantization(StrEnum):
    NONE = "none"
    FLOAT16 = "float16"
    DYNAMIC = "dynamic"
    INT8 = "int8"
    INT16X8 = "int16x8"
    INT4 = "int4"


@dataclass(frozen=True)
class ExportSpec:
    """One cell of the table: the file to make."""

    format: Format
    quantization: Quantization

    def __str__(self) -> str:
        return f"{self.format}-{self.quantization}"


OFFERED: tuple[ExportSpec, ...] = (
    ExportSpec(Format.TFLITE, Quantization.NONE),
    ExportSpec(Format.TFLITE, Quantization.INT8),
    ExportSpec(Format.ONNX, Quantization.NONE),
    ExportSpec(Format.ONNX, Quantization.INT8),
)


def select(format: str, quantization: str) -> list[ExportSpec]:
    """Return the offered cells that the options name; "all" stands for every value.

    Raises:
        UsageError: an unknown value, or a cell that is not offered.
    """
    for option, value, known in (("--format", format, Format), ("--quantize", quantization, Quantization)):
        if value not in ("all", *known):
            raise UsageError(f"{option} {value} is unknown; choose from {', '.join(known)}, all")
    cells = [cell for cell in OFFERED if format in ("all", cell.format) and quantization in ("all", cell.quantization)]
    if not cells:
        offered = ", ".join(map(str, OFFERED))
        raise UsageError(f"--format {format} --quantize {quantization} is not offered; there are {offered}")
    return cells
