from __future__ import annotations

from importlib.metadata import metadata

import pytest
from mnist_edge_runtime import UsageError
from mnist_edge_runtime.engines import registry


def test_each_format_has_its_engines_the_preferred_one_first() -> None:
    assert registry.names_for("tflite") == ["litert", "tflite-runtime"]
    assert registry.names_for("onnx") == ["onnxruntime"]
    assert registry.names_for("coreml") == []


@pytest.mark.parametrize("name", registry.ENGINES)
def test_the_extra_that_a_message_names_exists(name: str) -> None:
    assert registry.ENGINES[name].extra in metadata("mnist-edge-runtime").get_all("Provides-Extra", [])


def test_an_engine_that_is_named_is_the_only_candidate() -> None:
    assert registry.candidates("tflite") == ["litert", "tflite-runtime"]
    assert registry.candidates("tflite", "tflite-runtime") == ["tflite-runtime"]
    with pytest.raises(UsageError, match="'onnxruntime' does not run tflite files; choose from litert"):
        registry.candidates("tflite", "onnxruntime")
