"""Name the model files that ship with this package: each network as full-integer int8, one file a format; a module."""

from __future__ import annotations

from pathlib import Path

from ..engines.registry import ENGINES

__all__ = ["MODULE", "NETWORKS", "bundled_models", "bundled_module"]

NETWORKS = ("base", "small")  # the first answers where none is named; the other takes a tenth of its time

_FOLDER = Path(__file__).parent
MODULE = _FOLDER / "small-int8.mjs"  # the network `small` as JavaScript, for the page of `serve`


def bundled_models(engine: str | None = None, network: str | None = None) -> list[Path]:
    """Return the files of a network, that of the preferred engine first; of a known engine, only the file that it runs.

    A format may have no file: then it is left out.

    Args:
        engine: name of an engine; by default any.
        network: one of `NETWORKS`, by default the first.
    """
    formats = dict.fromkeys(row.format for name, row in ENGINES.items() if engine not in ENGINES or engine == name)
    files = [_FOLDER / f"{network or NETWORKS[0]}-int8.{name}" for name in formats]
    return [file for file in files if file.is_file()]


def bundled_module() -> str:
    """Return the network `small` as a JavaScript module, made of the file that ships."""
    return MODULE.read_text(encoding="utf-8")
