"""Random networks, and what LiteRT answers."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

SCRIPT = Path(__file__).parents[3] / "benchmarks" / "random_networks.py"


@pytest.fixture(scope="session")
def build() -> Callable[..., bytes]:
    """Return the function that writes a random network."""
    return runpy.run_path(str(SCRIPT))["build"]


@pytest.fixture(scope="session")
def build_mean() -> Callable[[int], bytes]:
    """Return the function that writes a network that is a mean alone."""
    return runpy.run_path(str(SCRIPT))["build_mean"]


@pytest.fixture(scope="session")
def levels() -> Callable[[bytes], NDArray[np.int8]]:
    """Return the function from such a network to its inputs, each channel around a level of its own."""
    return runpy.run_path(str(SCRIPT.with_name("integer.py")))["levels"]


@pytest.fixture(scope="session")
def noise() -> NDArray[np.uint8]:
    """Return input tensors: a half of even noise, the other of sparse white dots."""
    random = np.random.default_rng(0)
    even = random.integers(0, 256, (20, 28, 28, 1), dtype=np.uint8)
    return np.concatenate([even, (random.random((20, 28, 28, 1)) < 0.2).astype(np.uint8) * np.uint8(255)])


@pytest.fixture(scope="session")
def litert() -> Callable[[bytes, NDArray[Any]], NDArray[Any]]:
    """Return the function from plain TFLite bytes and input tensors to LiteRT's raw output."""
    from ai_edge_litert.interpreter import Interpreter

    def run(payload: bytes, tensors: NDArray[Any]) -> NDArray[Any]:
        interpreter = Interpreter(model_content=payload)
        interpreter.allocate_tensors()
        source, target = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
        answers = []
        for tensor in tensors:
            interpreter.set_tensor(source, tensor[np.newaxis])
            interpreter.invoke()
            answers.append(interpreter.get_tensor(target)[0].copy())
        return np.array(answers)

    return run
