"""Name the published networks and their Keras files, which travel in this package to be fine-tuned."""

from __future__ import annotations

from pathlib import Path

__all__ = ["PUBLISHED", "weights_file"]

PUBLISHED = ("base", "small", "tiny", "nano", "pico")  # from the largest

_FOLDER = Path(__file__).parent / "weights"


def weights_file(network: str) -> Path:
    """Return the path of the .keras file of one of `PUBLISHED`."""
    return _FOLDER / f"{network}.keras"
