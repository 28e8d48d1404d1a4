from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from mnist_edge_exporters.c_source import proof
from mnist_edge_exporters.c_source.generate import ROUNDINGS, network_source
from mnist_edge_exporters.c_source.layers import _WRITERS
from mnist_edge_exporters.c_source.project import Project
from mnist_edge_exporters.integer.evaluate import evaluate
from mnist_edge_exporters.integer.network import Dense, Network
from mnist_edge_exporters.integer.rounding import FLOAT32
from mnist_edge_runtime import ModelError
from numpy.typing import NDArray

Make = Callable[..., tuple[Project, Network]]


@pytest.mark.parametrize("rounding", ROUNDINGS)
def test_random_networks_answer_as_their_integer_network(rounding: str, make: Make, images: NDArray[np.uint8]) -> None:
    met: set[type] = set()
    for seed in range(12):
        made, network = make(seed, rounding=rounding)
        met |= {type(operator) for operator in network.operators}
        expected = evaluate(network, images[..., np.newaxis], ROUNDINGS[rounding])
        np.testing.assert_array_equal(proof.logits(made, images, proof.compiler()), expected, f"seed {seed}")
    assert set(_WRITERS) <= met


def test_a_scale_out_of_range_is_refused(make: Make) -> None:
    _, network = make()
    (dense, *_) = (each for each in network.operators if isinstance(each, Dense))
    wide = replace(dense, scales=dense.scales * np.float32(1e9))
    operators = tuple(wide if each is dense else each for each in network.operators)
    with pytest.raises(ModelError, match=r"^layer .*: its scale is out of the range"):
        network_source(replace(network, operators=operators), "net", FLOAT32, version="0")
