from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert.schema_py_generated import TensorType
from mnist_edge_exporters.integer import tflite_reader
from mnist_edge_exporters.integer.evaluate import FORMULAS, evaluate
from mnist_edge_exporters.integer.rounding import FLOAT32, INTEGERS
from mnist_edge_runtime import models
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_trainer.data.datasets import Dataset
from numpy.typing import NDArray

ROOT = Path(__file__).parents[3]
SHIPPED = [
    *(models.bundled_models("litert", network)[0] for network in models.NETWORKS),
    *sorted(ROOT.glob("models/*-int8.tflite")),
]
KINDS = ["convolution", "depthwise", "max_pool", "average_pool", "pad", "relu", "concatenation", "add", "requantize"]

Litert = Callable[[bytes, NDArray[Any]], NDArray[Any]]


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_a_shipped_file_answers_as_its_integer_network(
    file: Path, dataset: Dataset, noise: NDArray[np.uint8], litert: Litert
) -> None:
    payload = sealed_model.read(file).payload
    images = np.concatenate([dataset.test_images[:300, ..., np.newaxis], noise])
    expected, network = litert(payload, images), tflite_reader.read(payload)
    for how in (FLOAT32, INTEGERS):
        np.testing.assert_array_equal(evaluate(network, images, how), expected)


@pytest.mark.parametrize("kind", [*KINDS, "mean"])
def test_an_operator_answers_as_litert(
    kind: str, build: Callable[..., bytes], noise: NDArray[np.uint8], litert: Litert
) -> None:
    for seed in range(8):
        kinds = ["convolution"] if kind == "mean" else [kind]
        payload = build(seed, kinds, mean=kind == "mean", depth=2)
        expected, network = litert(payload, noise), tflite_reader.read(payload)
        assert len(np.unique(expected)) > 5, "or nothing is compared"
        for how in (FLOAT32, INTEGERS):
            np.testing.assert_array_equal(evaluate(network, noise, how), expected, f"seed {seed}")


def test_a_mean_next_to_a_half_answers_as_litert(
    build_mean: Callable[[int], bytes], litert: Litert, levels: Callable[[bytes], NDArray[np.int8]]
) -> None:
    """The zero points are added in float32, before rounding."""
    halves = 0
    for seed in range(60):
        payload = build_mean(seed)
        network, tensors = tflite_reader.read(payload), levels(payload)
        expected = litert(payload, tensors)
        for how in (FLOAT32, INTEGERS):
            np.testing.assert_array_equal(evaluate(network, tensors, how), expected, f"seed {seed}")
        source, target = network.tensors[network.input], network.tensors[network.output]
        sums = (tensors.astype(int) - source.zero_point).sum(axis=(1, 2))
        real = sums * source.scale / target.scale / tensors[0, ..., 0].size + target.zero_point
        halves += np.count_nonzero(np.abs(real % 1 - 0.5) < 1e-5)
    assert halves > 1000, "or what decides is not compared"


def test_networks_of_all_operators_answer_as_litert(
    build: Callable[..., bytes], noise: NDArray[np.uint8], litert: Litert
) -> None:
    met: set[type] = set()
    for seed in range(30):
        payload = build(seed, depth=6)
        network = tflite_reader.read(payload)
        met |= {type(operator) for operator in network.operators}
        np.testing.assert_array_equal(evaluate(network, noise), litert(payload, noise), f"seed {seed}")
    assert {kind.__name__ for kind in FORMULAS} - {kind.__name__ for kind in met} == {"Quantize", "Dequantize"}


@pytest.mark.parametrize("ends", [TensorType.INT8, TensorType.FLOAT32])
def test_other_types_at_the_ends(
    ends: int, build: Callable[..., bytes], noise: NDArray[np.uint8], litert: Litert
) -> None:
    tensors = noise / np.float32(255) if ends == TensorType.FLOAT32 else (noise ^ 128).view(np.int8)
    for seed in range(10):
        payload = build(seed, ends=ends)
        expected, found = litert(payload, tensors), evaluate(tflite_reader.read(payload), tensors)
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected, f"seed {seed}")
