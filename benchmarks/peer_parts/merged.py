"""Merge the figures of parts that one section shows together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["CONVERSION_PARTS", "READERS", "TRAININGS", "Parts", "read", "trained"]

Parts = Mapping[str, Mapping[str, Any]]

CONVERSION_PARTS = {"files", "conversion", "proofs"}
TRAININGS = ("training-0", "training-1", "training-classic")
READERS = ("photos", "rapidocr", "tesseract")


def read(parts: Parts) -> dict[str, Any]:
    """Return the counts of all readers that were measured in one document."""
    measured = [parts[name]["figures"] for name in READERS if name in parts]
    found: dict[str, Any] = {"pages": parts["photos"]["figures"]["pages"]}
    for kind in ("single", "lines"):
        found[kind] = {title: row for figures in measured for title, row in figures[kind].items()}
    return {**found, "versions": [figures["version"] for figures in measured if figures.get("version")]}


def trained(parts: Parts) -> dict[str, list[Any]]:
    """Return the epochs of all trainings that were measured, of each seed, by their titles."""
    found: dict[str, list[Any]] = {}
    for name in TRAININGS:
        for title, epochs in parts[name]["figures"].items() if name in parts else ():
            found.setdefault(title, []).append(epochs)
    return found
