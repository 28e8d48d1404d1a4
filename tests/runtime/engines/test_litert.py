from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mnist_edge_runtime import EngineError
from mnist_edge_runtime.engines import litert, loader
from mnist_edge_runtime.model_file import sealed_model

LIBRARY = "ai_edge_litert.interpreter"


@pytest.mark.parametrize("factor", [0.5, 0.999, 1.001, 2])
@pytest.mark.parametrize("which", ["input", "output"])
def test_tflite_scales_that_disagree_are_an_engine_error(tflite_file: Path, which: str, factor: float) -> None:
    sealed = sealed_model.read(tflite_file)
    scale = getattr(sealed.contract, which).scale * factor
    contract = replace(sealed.contract, **{which: replace(getattr(sealed.contract, which), scale=scale)})

    with pytest.raises(EngineError, match=f"its {which} scale is"):
        loader.load(sealed.payload, contract, engine="litert")


def test_a_network_that_cannot_take_a_batch_is_run_image_by_image(files: Mapping[str, Path]) -> None:
    import tensorflow as tf

    weights = tf.constant(np.random.default_rng(1).normal(size=(784, 10)).astype(np.float32))

    @tf.function(input_signature=[tf.TensorSpec((1, 28, 28, 1), tf.float32)])
    def of_fixed_size(images: Any) -> Any:
        return tf.reshape(images, (1, 784)) @ weights

    concrete = of_fixed_size.get_concrete_function()
    payload = tf.lite.TFLiteConverter.from_concrete_functions([concrete], of_fixed_size).convert()
    sealed = sealed_model.read(files["tflite-none"])
    _, engine = loader.load(payload, sealed.contract, engine="litert")
    images = np.resize(sealed.golden.images, (50, 28, 28))

    expected = (images.reshape(50, 784) / 255) @ weights.numpy()
    np.testing.assert_allclose(engine.run(images), expected, atol=1e-3)


def test_a_model_is_described_without_its_contract(tflite_file: Path) -> None:
    sealed = sealed_model.read(tflite_file)
    model = litert.load_model(sealed.payload, 1, LIBRARY)

    assert (model.input.dtype, model.input.shape) == ("uint8", (1, 28, 28, 1))
    assert model.input.scale == pytest.approx(sealed.contract.input.scale)
    assert (model.output.dtype, model.output.shape) == ("uint8", (1, 10))
    assert (model.output.scale, model.output.zero_point) == (
        pytest.approx(sealed.contract.output.scale),
        sealed.contract.output.zero_point,
    )
    assert model.run(sealed.golden.images[:1, ..., np.newaxis]).shape == (1, 10)
