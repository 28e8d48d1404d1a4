from __future__ import annotations

import ctypes
import runpy
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mnist_edge_exporters.c_source import proof
from mnist_edge_exporters.c_source.generate import ROUNDINGS, network_source
from mnist_edge_exporters.c_source.layers import _WRITERS
from mnist_edge_exporters.c_source.project import Project
from mnist_edge_exporters.integer import tflite_reader
from mnist_edge_exporters.integer.evaluate import evaluate
from mnist_edge_exporters.integer.network import Dense, Network
from mnist_edge_exporters.integer.rounding import FLOAT32, Rounding
from mnist_edge_runtime import ModelError
from numpy.typing import NDArray

SCRIPT = Path(__file__).parents[3] / "benchmarks" / "random_networks.py"

Make = Callable[..., tuple[Project, Network]]


@pytest.mark.long
@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_random_networks_answer_as_their_integer_network(rounding: str, make: Make, images: NDArray[np.uint8]) -> None:
    met: set[type] = set()
    for seed in range(12):
        made, network = make(seed, rounding=rounding)
        met |= {type(operator) for operator in network.operators}
        expected = evaluate(network, images[..., np.newaxis], ROUNDINGS[rounding])
        np.testing.assert_array_equal(proof.answers(made, images, proof.compiler()).logits, expected, f"seed {seed}")
    assert set(_WRITERS) <= met


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_means_next_to_a_half_answer_as_their_integer_network(rounding: str, tmp_path: Path) -> None:
    build = runpy.run_path(str(SCRIPT))["build_mean"]
    random = np.random.default_rng(0)
    for seed in range(10):
        network = tflite_reader.read(build(seed))
        shape = network.tensors[network.input].shape[1:]
        levels = random.normal(random.uniform(-128, 128, (20, 1, 1, shape[2])), 20, (20, *shape))
        tensors = np.clip(np.rint(levels), -128, 127).astype(np.int8)
        expected = evaluate(network, tensors, ROUNDINGS[rounding])
        images = np.ascontiguousarray(tensors.view(np.uint8) ^ 128).reshape(20, -1)
        found = np.zeros(expected.shape, np.uint8)
        answer = _compiled(network, ROUNDINGS[rounding], images.shape[1], tmp_path / f"{seed}").net_logits
        for image, logits in zip(images, found, strict=True):
            answer(image.ctypes.data_as(ctypes.c_void_p), logits.ctypes.data_as(ctypes.c_void_p))
        np.testing.assert_array_equal((found ^ 128).view(np.int8), expected, f"seed {seed}")


def _compiled(network: Network, how: Rounding, pixels: int, folder: Path) -> ctypes.CDLL:
    folder.mkdir()
    classes = network.tensors[network.output].size
    header = f"#include <stdint.h>\n#define NET_PIXELS {pixels}\n#define NET_CLASSES {classes}\n"
    (folder / "net.h").write_text(header)
    (folder / "net.c").write_text(network_source(network, "net", how, version="0").text)
    command = [*proof.compiler(), "-std=c99", "-O2", "-shared", "-fPIC", "-o", folder / "net.so", folder / "net.c"]
    subprocess.run(command, check=True)
    return ctypes.CDLL(str(folder / "net.so"))


def test_a_scale_out_of_range_is_refused(make: Make) -> None:
    _, network = make()
    (dense, *_) = (each for each in network.operators if isinstance(each, Dense))
    wide = replace(dense, scales=dense.scales * np.float32(1e9))
    operators = tuple(wide if each is dense else each for each in network.operators)
    with pytest.raises(ModelError, match=r"^layer .*: its scale is out of the range"):
        network_source(replace(network, operators=operators), "net", FLOAT32, version="0")
