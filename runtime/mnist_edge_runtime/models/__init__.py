"""The model that ships with this package: the network `small`, full-integer int8, in each format."""

from __future__ import annotations

from pathlib import Path

from ..engines.registry import ENGINES

__all__ = ["bundled_models"]

_FOLDER = Path(__file__).parent


def bundled_models(engine: str | None = None) -> list[Path]:
    """Return the model's files in the order in which they are worth trying: one a format, or the engine's own."""
    formats = dict.fromkeys(row.format for name, row in ENGINES.items() if engine not in ENGINES or engine == name)
    return [_FOLDER / f"small-int8.{suffix}" for suffix in formats]
