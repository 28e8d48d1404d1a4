from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from mnist_edge_runtime.engines.base import Engine, LoadedModel, TensorInfo, check_contract, only
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.models import bundled_models

(TFLITE,) = bundled_models("litert")
CONTRACT = sealed_model.read(TFLITE).contract
IMAGE = TensorInfo("uint8", (1, 28, 28, 1), CONTRACT.input.scale, CONTRACT.input.zero_point)
LOGITS = TensorInfo("uint8", (1, 10), CONTRACT.output.scale, CONTRACT.output.zero_point)


def test_one_image_and_batches_go_through_encode_run_and_decode() -> None:
    sizes = []

    def many(images: np.ndarray) -> np.ndarray:
        sizes.append(len(images))
        return images.sum(axis=(1, 2), dtype=np.int64)[:, np.newaxis]

    engine = Engine(many, many, 2, lambda images: np.atleast_3d(images).reshape(-1, 28, 28), lambda raw: raw / 2)
    images = np.stack([np.full((28, 28), shade, np.uint8) for shade in (0, 1, 2, 3, 4)])
    assert engine.run(images).ravel().tolist() == [0, 392, 784, 1176, 1568]
    assert sizes == [2, 2, 1]
    assert engine.run_one(images[3]).tolist() == [1176]


@pytest.mark.parametrize("count", [0, 2])
def test_only_one_input_is_expected(count: int) -> None:
    with pytest.raises(ValueError, match=f"it has {count} inputs or outputs, expected one of each"):
        only([object()] * count)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({}, None),
        ({"input": IMAGE._replace(scale=None)}, None),
        ({"input": IMAGE._replace(dtype="int8")}, r"its input is int8 \(1, 28, 28, 1\), its contract says uint8"),
        ({"output": LOGITS._replace(shape=(1, 9))}, r"its output is uint8 \(1, 9\), its contract says uint8 \(1, 10\)"),
        ({"output": LOGITS._replace(scale=CONTRACT.output.scale * 1.01)}, "its output scale is .*, its contract says"),
    ],
)
def test_tensors_are_those_of_the_contract(changes: Mapping[str, TensorInfo], message: str | None) -> None:
    model = LoadedModel(IMAGE, LOGITS, lambda images: images)._replace(**changes)
    if message is None:
        check_contract(model, CONTRACT)
    else:
        with pytest.raises(ValueError, match=message):
            check_contract(model, CONTRACT)
