from __future__ import annotations

import hashlib
from importlib.metadata import version
from typing import Any

import pytest
from mnist_edge_exporters import keras_model
from mnist_edge_exporters.converters.base import ConvertedModel
from mnist_edge_exporters.export import contract_builder
from mnist_edge_exporters.export.rejection import RejectionThreshold
from mnist_edge_exporters.source import Source
from mnist_edge_exporters.spec import ExportSpec, Quantization
from mnist_edge_runtime.model_file.contract import Contract, InputSpec, OutputSpec

PAYLOAD = b"the bytes of a model"
CALIBRATION = {"images": 100}


@pytest.fixture(scope="module")
def source() -> Source:
    import keras

    model: Any = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(2)])
    images: Any = None
    return Source("own", model, ("no", "yes"), {"architecture": "own"}, images, images, images, images)


def _draft(source: Source, quantization: Quantization, dtype: str) -> Contract:
    converted = ConvertedModel(PAYLOAD, InputSpec(dtype, 0.5, 3), OutputSpec(dtype, 0.25, -1))
    rejection = RejectionThreshold(temperature=1.5, softening=2.0, threshold=0.9, chosen_on="validation images")
    return contract_builder.draft(source, ExportSpec("tflite", quantization), converted, CALIBRATION, rejection)


def test_the_draft_describes_the_converted_model(source: Source) -> None:
    found = _draft(source, Quantization.INT8, "int8")

    assert (found.format, found.quantization, found.labels) == ("tflite", "int8", ("no", "yes"))
    assert found.input == InputSpec("int8", 0.5, 3, preprocessing="mnist/1")
    assert found.output == OutputSpec("int8", 0.25, -1, 1.5, 2.0, 0.9, "validation images")
    assert (found.payload.size, found.payload.sha256) == (len(PAYLOAD), hashlib.sha256(PAYLOAD).hexdigest())
    assert found.selftest.unit == "lsb"


def test_the_origin_names_the_weights_and_the_versions(source: Source) -> None:
    origin = _draft(source, Quantization.INT8, "int8").origin

    assert origin["architecture"] == "own"
    assert origin["parameters"] == 28 * 28 * 2 + 2
    assert origin["weights_sha256"] == keras_model.weights_sha256(source.model)
    assert origin["versions"]["tensorflow"] == version("tensorflow")


def test_only_a_calibrated_variant_carries_its_calibration(source: Source) -> None:
    plain = _draft(source, Quantization.NONE, "float32")

    assert plain.origin["calibration"] is None
    assert plain.selftest.unit == "absolute"
    assert _draft(source, Quantization.INT8, "int8").origin["calibration"] == CALIBRATION
