"""What lies in benchmarks/ imports its neighbours by their names, as a script's folder lets it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).resolve().parents[3] / "benchmarks"


@pytest.fixture(scope="session")
def part() -> Iterator[Callable[[str], Any]]:
    """Import a module of benchmarks/peer_parts/ by its name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        yield lambda name: import_module(f"peer_parts.{name}")


@pytest.fixture
def figures() -> dict[str, Any]:
    """A record as a run leaves it, of two converters, two readers and three trainings."""
    ours = "mnist-edge, TFLite int8"
    usual = "TFLiteConverter, int8 by its guide"
    row = {"bytes": 24_680, "takes": "uint8", "gives": "uint8", "accuracy": 0.9959, "changed": 7}
    networks = {
        "keras": {"accuracy": 0.9961},
        ours: row,
        usual: {**row, "bytes": 25_000, "gives": "float32", "accuracy": 0.9957},
        "Keras' export, onnx (float32)": {"failed": "ValueError: never called"},
    }
    seconds = {
        ours: {"import": 5.0, "load": 0.2, "convert": 3.0, "whole": 9.0, "processor": 7.5},
        usual: {"import": 5.0, "load": 0.2, "convert": 1.0, "whole": 6.0, "processor": 5.0},
        "Keras' export, onnx (float32)": {"failed": "ValueError: never called"},
    }
    read = {"of": 400, "right": 396, "none": 1, "wrong": 3, "extra": 0, "accepted": 380, "accepted_wrong": 1}
    other = {"of": 400, "right": 200, "none": 150, "wrong": 50, "extra": 2}
    rates = {"ten lines": {"rate": 2000.0, "right": 4, "of": 10}, "mnist-edge": {"rate": 500.0, "right": 9, "of": 10}}
    parts = {
        "files": {"networks": {"small": networks}, "calibration": 500},
        "conversion": {"networks": {"small": seconds}, "turns": 2},
        "proofs": {"networks": {"small": {ours: {"whole": 20.0, "processor": 24.0}}}},
        "photos": {
            "single": {"mnist-edge": read},
            "lines": {"mnist-edge": read},
            "pages": 30,
        },
        "tesseract": {"single": {"Tesseract": other}, "lines": {"Tesseract": other}, "version": "tesseract 5.3.0"},
        "pictures": {
            "arrays": {"small-int8.tflite": {"engine": 50_000.0, "logits": 48_000.0, "classify": 40_000.0}},
            "files": {"10 photos": rates},
            "file": "base-int8.tflite",
        },
        "training-0": {
            "mnist-edge train --fast": [[1, 9.0, 0.981, 8.0], [2, 13.0, 0.992, 11.4]],
            "Keras' example": [[1, 12.0, 0.97, 15.0], [2, 19.0, 0.989, 26.0]],
        },
    }
    return {name: {"machine": "a processor, 2 cores", "load": 0.1, "figures": part} for name, part in parts.items()}
