"""Name the published networks and their Keras files, which travel in this package to be fine-tuned."""

from __future__ import annotations

from pathlib import Path

__all__ = ["PUBLISHED", "TRAINED_ON", "name_in", "weights_file"]

PUBLISHED = ("base", "small", "tiny", "nano", "pico")  # from the largest
# SHA-256 of MNIST and of its split: no other images of it than that split's training images trained them.
TRAINED_ON = (
    "9bed53206e2b397621fc904569d7bf1a0fbd262d87165c81a8e023a18bdd9e3e",
    "c71082faffbed86a168f05e0a7faba308d7def259cdda387e8d9304b9723874d",
)

_FOLDER = Path(__file__).parent / "weights"


def weights_file(network: str) -> Path:
    """Return the path of the .keras file of one of `PUBLISHED`."""
    return _FOLDER / f"{network}.keras"


def name_in(model: Path) -> str | None:
    """Return the published network that an option means that takes a file, too; None where it means a file."""
    return str(model) if str(model) in PUBLISHED and not model.exists() else None
