from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import pytest
from mnist_edge_exporters.analysis import layer_drift
from mnist_edge_exporters.analysis.layer_drift import LayerDrift
from mnist_edge_exporters.source import Source
from mnist_edge_runtime import InputError
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.model_file.contract import Payload

QUANTIZED = ["tflite-float16", "tflite-dynamic", "tflite-int8", "tflite-int16x8", "onnx-float16", "onnx-int8"]


@pytest.fixture(scope="module")
def measured(files: Mapping[str, Path], source: Source) -> dict[str, tuple[LayerDrift, ...]]:
    each = layer_drift.measure_each([files[variant] for variant in QUANTIZED], source)
    return dict(zip(QUANTIZED, each, strict=True))


@pytest.mark.parametrize("variant", QUANTIZED)
def test_every_layer_of_a_sound_file_is_near_the_float_one(
    variant: str, measured: Mapping[str, tuple[LayerDrift, ...]]
) -> None:
    layers = measured[variant]
    assert len(layers) >= 8  # three convolutions, three poolings, two dense layers
    assert layers[-1].shape == (10,)
    assert all(layer.sqnr_db is None or layer.sqnr_db > 25 for layer in layers)
    if "float16" in variant:
        assert min(layer.sqnr_db for layer in layers if layer.sqnr_db is not None) > 60


@pytest.mark.long
def test_the_layer_to_blame_is_pointed_at(files: Mapping[str, Path], source: Source, tmp_path: Path) -> None:
    """Damage the scale of one layer's weights in an int8 file, and seal it as if nothing had happened."""
    sealed = sealed_model.read(files["onnx-int8"])
    model = onnx.load_from_string(sealed.payload)
    convolutions = [node for node in model.graph.node if node.op_type == "Conv"]
    weights = next(node for node in model.graph.node if node.output[0] == convolutions[1].input[1])
    scale = next(constant for constant in model.graph.initializer if constant.name == weights.input[1])
    scale.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(scale) * np.float32(1.3), scale.name))
    payload = model.SerializeToString()
    contract = replace(sealed.contract, payload=Payload(len(payload), hashlib.sha256(payload).hexdigest()))
    (tmp_path / "damaged.onnx").write_bytes(sealed_model.seal(payload, contract, sealed.golden))
    layers = layer_drift.measure(tmp_path / "damaged.onnx", source)
    blamed = next(line for line in layer_drift.table(layers).splitlines() if "falls most" in line)
    # Its activation, which is what the file quantizes, has the name of the ReLU behind it.
    assert blamed.split()[0] == convolutions[1].output[0].removesuffix(":0")


def test_float_files_and_files_of_other_weights_are_refused(files: Mapping[str, Path], source: Source) -> None:
    assert list(layer_drift.measure_each([], source)) == []
    with pytest.raises(InputError, match="not quantized"):
        layer_drift.measure(files["tflite-none"], source)
    other: Any = keras.models.clone_model(source.model)
    with pytest.raises(InputError, match="other weights"):
        layer_drift.measure(files["tflite-int8"], replace(source, model=other))


def test_the_table_tells_no_noise_from_a_silent_layer() -> None:
    layers = [
        LayerDrift("A_0", "A", (2, 3), None, 0.0, 0.0),
        LayerDrift("B_1", "B", (4,), None, 0.1, 0.2),
        LayerDrift("C_2", "C", (4,), 40.0, 0.1, 0.2),
        LayerDrift("D_3", "D", (4,), 41.0, 0.1, 0.2),
    ]
    header, *lines = layer_drift.table(layers).splitlines()
    assert header.split()[:2] == ["layer", "output"]
    assert "2 x 3" in lines[0]
    assert "no noise" in lines[0]
    assert "silent" in lines[1]
    assert not any("falls most" in line for line in lines)
