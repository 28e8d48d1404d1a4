"""Embed PNG images in the page as data URIs."""

from __future__ import annotations

import base64
from pathlib import Path

__all__ = ["embedded", "png_data_uri"]


def png_data_uri(data: bytes) -> str:
    """Return the data URI of a PNG file's bytes."""
    return f"data:image/png;base64,{base64.b64encode(data).decode()}"


def embedded(file: Path) -> str | None:
    """Return the data URI of a PNG file; None where there is no such file."""
    return png_data_uri(file.read_bytes()) if file.is_file() else None
