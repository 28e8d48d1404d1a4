from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from mnist_edge_runtime import ModelError
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.model_file.formats import registry
from mnist_edge_runtime.model_file.formats.registry import FORMATS


def test_every_export_passes(files: Mapping[str, Path]) -> None:
    for file in files.values():
        sealed = sealed_model.read(file)
        FORMATS[sealed.contract.format].check_operators(sealed.payload)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("data", [b"", b"\0" * 100, b"text and more text", b"\x1c\0\0\0TFL3" + b"\xff" * 60], ids=repr)
def test_what_is_no_model_is_refused(format: str, data: bytes) -> None:
    with pytest.raises(ModelError, match=f"it is no {format} model"):
        FORMATS[format].check_operators(data)


def test_random_changes_end_in_an_answer_or_a_refusal(int8_file: Path) -> None:
    """Whatever the bytes: no other error, and no reading without end."""
    sealed = sealed_model.read(int8_file)
    random = np.random.default_rng(0)
    for _ in range(300):
        damaged = np.frombuffer(sealed.payload, np.uint8).copy()
        places = random.integers(0, len(damaged), random.integers(1, 200))
        damaged[places] = random.integers(0, 256, len(places))
        try:
            FORMATS[sealed.contract.format].check_operators(damaged.tobytes())
        except ModelError:
            continue


@pytest.mark.parametrize("format", FORMATS)
def test_a_format_is_found_by_its_suffix(format: str) -> None:
    assert registry.for_suffix(f".{format}") is FORMATS[format]
    assert registry.for_suffix(f".{format.upper()}") is FORMATS[format]


@pytest.mark.parametrize("suffix", ["", ".", ".keras", "tflite", ".onnx.gz"])
def test_another_suffix_is_that_of_no_format(suffix: str) -> None:
    assert registry.for_suffix(suffix) is None


def test_a_message_has_all_suffixes() -> None:
    assert registry.suffixes() == ".tflite or .onnx"
