from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from mnist_edge_exporters.integer import tflite_reader
from mnist_edge_exporters.integer.evaluate import evaluate
from mnist_edge_exporters.integer.rounding import TFLM
from numpy.typing import NDArray


@pytest.fixture
def micro() -> Callable[[bytes, NDArray[np.uint8]], NDArray[np.uint8]]:
    """Return the function from plain TFLite bytes and input tensors to TensorFlow Lite Micro's raw output."""
    runtime = pytest.importorskip("tflite_micro", reason="needs tflite-micro, the extra tflm").runtime

    def run(payload: bytes, tensors: NDArray[np.uint8]) -> NDArray[np.uint8]:
        interpreter = runtime.Interpreter.from_bytes(payload)
        answers = []
        for tensor in tensors:
            interpreter.set_input(tensor[np.newaxis], 0)
            interpreter.invoke()
            answers.append(interpreter.get_output(0)[0].copy())
        return np.array(answers)

    return run


@pytest.mark.parametrize("kind", ["convolution", "depthwise", "average_pool", "add", "requantize", "mean"])
def test_an_operator_answers_as_tensorflow_lite_micro(
    kind: str,
    build: Callable[..., bytes],
    noise: NDArray[np.uint8],
    micro: Callable[[bytes, NDArray[np.uint8]], NDArray[np.uint8]],
) -> None:
    changed = 0
    for seed in range(10):
        kinds = ["convolution"] if kind == "mean" else [kind]
        payload = build(seed, kinds, mean=kind == "mean", depth=3)
        network, expected = tflite_reader.read(payload), micro(payload, noise)
        np.testing.assert_array_equal(evaluate(network, noise, TFLM), expected, f"seed {seed}")
        changed += np.count_nonzero(evaluate(network, noise) != expected)
    assert changed, "or the two roundings are not told apart"
