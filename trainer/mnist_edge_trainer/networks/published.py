"""Name the published networks and their Keras files, which travel in this package to be fine-tuned."""

from __future__ import annotations

from pathlib import Path

__all__ = ["PUBLISHED", "name_in", "weights_file"]

PUBLISHED = ("base", "small", "tiny", "nano", "pico")  # from the largest

_FOLDER = Path(__file__).parent / "weights"


def weights_file(network: str) -> Path:
    """Return the path of the .keras file of one of `PUBLISHED`."""
    return _FOLDER / f"{network}.keras"


def name_in(model: Path) -> str | None:
    """Return the published network that an option means that takes a file, too; None where it means a file."""
    return str(model) if str(model) in PUBLISHED and not model.exists() else None
