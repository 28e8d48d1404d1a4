"""Name the report of a proof, which is published beside its file."""

from __future__ import annotations

from pathlib import Path

__all__ = ["path_for"]


def path_for(file: Path) -> Path:
    """Return the path of the report beside an exported file, FILE.parity.json."""
    return file.with_name(f"{file.name}.parity.json")
