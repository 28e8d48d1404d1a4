from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from mnist_edge_exporters.integer.evaluate import evaluate
from mnist_edge_exporters.integer.network import Convolution, Dequantize, Network
from mnist_edge_exporters.javascript import proof
from mnist_edge_exporters.javascript.layers import _WRITERS, write_layer
from mnist_edge_exporters.javascript.project import Project
from mnist_edge_runtime import ModelError
from numpy.typing import NDArray

Make = Callable[..., tuple[Project, Network]]


@pytest.mark.long
def test_random_networks_answer_as_their_integer_network(make: Make, images: NDArray[np.uint8]) -> None:
    met: set[type] = set()
    for seed in range(12):
        made, network = make(seed)
        met |= {type(operator) for operator in network.operators}
        expected = evaluate(network, images[..., np.newaxis])
        np.testing.assert_array_equal(proof.answers(made.module, images, []).logits, expected, f"seed {seed}")
    assert set(_WRITERS) <= met


def test_a_layer_says_its_shapes_and_carries_its_weights(make: Make) -> None:
    _, network = make()
    operator = next(each for each in network.operators if isinstance(each, Convolution))
    layer = write_layer(network, operator)
    rows, columns = operator.window.size
    assert layer.name.startswith(f"Convolution {rows} x {columns}")
    assert "// 28 x 28 x 1 -> " in layer.comment
    assert len(layer.blob) == operator.weights.size + 8 * len(operator.bias)


def test_an_operator_without_a_kernel_is_refused(make: Make) -> None:
    _, network = make()
    last = network.operators[-1]
    with pytest.raises(ModelError, match="JavaScript has no kernel for Dequantize; export with --io-dtype uint8"):
        write_layer(network, Dequantize(name=last.name, inputs=last.inputs, output=last.output))
