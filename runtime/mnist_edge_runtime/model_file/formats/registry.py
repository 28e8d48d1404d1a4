"""The table of the formats of model file."""

from __future__ import annotations

from collections.abc import Mapping

from . import onnx, tflite
from .base import Format

__all__ = ["FORMATS", "for_suffix", "suffixes"]

FORMATS: Mapping[str, Format] = {row.name: row for row in (tflite.FORMAT, onnx.FORMAT)}


def for_suffix(suffix: str) -> Format | None:
    """Return the format whose files end in `suffix`, in whatever case; None for another suffix."""
    return next((row for row in FORMATS.values() if row.suffix == suffix.lower()), None)


def suffixes() -> str:
    """Return the suffixes of all formats as a message has them: ".tflite or .onnx"."""
    return " or ".join(row.suffix for row in FORMATS.values())
