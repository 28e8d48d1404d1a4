"""Name the model files that ship with this package: the network `small`, full-integer int8, one file a format."""

from __future__ import annotations

from pathlib import Path

from ..engines.registry import ENGINES

__all__ = ["bundled_models"]

_FOLDER = Path(__file__).parent


def bundled_models(engine: str | None = None) -> list[Path]:
    """Return the model's files, that of the preferred engine first; of a known engine, only the file that it runs.

    A format may have no file: then it is left out.
    """
    formats = dict.fromkeys(row.format for name, row in ENGINES.items() if engine not in ENGINES or engine == name)
    files = [_FOLDER / f"small-int8.{name}" for name in formats]
    return [file for file in files if file.is_file()]
