"""Projects of random networks, and of the bundled network."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mnist_edge_exporters.integer import tflite_reader
from mnist_edge_exporters.integer.network import Network
from mnist_edge_exporters.javascript import project
from mnist_edge_exporters.javascript.project import Project
from mnist_edge_runtime import models
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.model_file.sealed_model import SealedModel
from numpy.typing import NDArray

pytest.importorskip("py_mini_racer", reason="mini-racer is not installed")
pytest.importorskip("minify", reason="tdewolff-minify is not installed")

SCRIPT = Path(__file__).parents[3] / "benchmarks" / "random_networks.py"
ORIGIN = {"file": "net.tflite", "sha256": "0" * 64, "version": "0", "images": 40, "pictures": 30}


@pytest.fixture(scope="session")
def bundled() -> SealedModel:
    (file,) = models.bundled_models("litert", "small")
    return sealed_model.read(file)


@pytest.fixture(scope="session")
def make(bundled: SealedModel) -> Callable[..., tuple[Project, Network]]:
    """Return the function that makes the project of a random network, or of the bundled one without a seed."""
    build = runpy.run_path(str(SCRIPT))["build"]

    def made(seed: int | None = None) -> tuple[Project, Network]:
        payload = bundled.payload if seed is None else build(seed, depth=6)
        network = tflite_reader.read(payload)
        return project.make(replace(bundled, payload=payload), network, "net", ORIGIN), network

    return made


@pytest.fixture(scope="session")
def images(bundled: SealedModel) -> NDArray[np.uint8]:
    """Return golden images, even noise and sparse white dots, uint8 (N, 28, 28)."""
    random = np.random.default_rng(0)
    dots = (random.random((20, 28, 28)) < 0.2).astype(np.uint8) * np.uint8(255)
    return np.concatenate([bundled.golden.images, random.integers(0, 256, (20, 28, 28), dtype=np.uint8), dots])
