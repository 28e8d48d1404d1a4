from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any


def test_each_part_is_a_section_and_others_stay(part: Callable[[str], Any], figures: Any, tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    page.write_text("# Benchmarks\n\nTop.\n\n## Something else\n\nstays\n")

    part("page").write(page, figures)

    text = page.read_text()
    assert text.startswith("# Benchmarks\n\nTop.\n\n## Something else\n\nstays\n\n## Against others: conversion\n")
    assert text.count("\n## Against others: ") == 5
    assert text.count("Measured on a processor, 2 cores; the load average at the start was 0.1.") == 3
    assert "{" not in text


def test_figures_are_told_as_they_are(part: Callable[[str], Any], figures: Any, tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"

    part("page").write(page, figures)

    rows = page.read_text().splitlines()
    assert "| small | mnist-edge, TFLite int8 | 24.7 | 99.59% | 7 | uint8 | uint8 | yes |" in rows
    assert "| small | TFLiteConverter, int8 by its guide | 25.0 | 99.57% | 7 | uint8 | float32 | no |" in rows
    assert "Keras' export, onnx (float32) fails on `small`: ValueError: never called" in rows
    assert "| small | mnist-edge, TFLite int8 | 3.00 | 9.0 | 7.5 | 1.50 | 24.0 |" in rows
    assert "| small-int8.tflite | 50,000 | 48,000 | 40,000 | 0.80 |" in rows
    assert "| 10 photos | 2,000 | 500 | 4 of 10 | 9 of 10 |" in rows
    assert "| Tesseract | 400 digits | 200 | 50.0% | 150 | 50 | 2 |" in rows
    assert "| mnist-edge train --fast | 0 | 13 | 11 | 2 | 99.20% | 13 | 11 |" in rows
    assert "| Keras' example | 0 | not reached |  | 2 | 98.90% | 19 | 26 |" in rows


def test_a_part_that_was_not_measured_has_no_section(part: Callable[[str], Any], figures: Any, tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"

    part("page").write(page, {"files": figures["files"]})

    assert "Against others: conversion" not in page.read_text()
    assert "Against others: not measured" in page.read_text()
