from __future__ import annotations

from collections.abc import Iterator

import pytest
from mnist_edge_runtime import ModelError
from mnist_edge_runtime.model_file.formats.registry import FORMATS


def test_the_suffix_follows_from_the_name() -> None:
    assert {name: row.suffix for name, row in FORMATS.items()} == {"tflite": ".tflite", "onnx": ".onnx"}


def test_each_objection_is_told_once_and_in_order() -> None:
    row = FORMATS["onnx"]._replace(objections=lambda payload: iter(["b", "a", "b"]))
    with pytest.raises(ModelError, match=r"refused before an engine is made: a; b$"):
        row.check_operators(b"")


def test_bytes_that_are_no_model_are_refused() -> None:
    def objections(payload: bytes) -> Iterator[str]:
        raise ValueError("an offset leads nowhere")

    with pytest.raises(ModelError, match=r"it is no tflite model \(an offset leads nowhere\); export it again"):
        FORMATS["tflite"]._replace(objections=objections).check_operators(b"")
