from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from mnist_edge_exporters.c_source.memory_plan import is_alias, plan
from mnist_edge_exporters.integer import tflite_reader
from mnist_edge_exporters.integer.network import Requantize, Reshape
from mnist_edge_runtime import models
from mnist_edge_runtime.model_file import sealed_model

SCRIPT = Path(__file__).parents[3] / "benchmarks" / "random_networks.py"


@pytest.mark.parametrize("seed", range(20))
def test_no_layer_writes_what_is_still_needed(seed: int) -> None:
    """Replay the network on the buffer, where each byte belongs to the tensor that wrote it last."""
    network = tflite_reader.read(runpy.run_path(str(SCRIPT))["build"](seed))
    memory = plan(network)
    owner: dict[int, int] = {}
    for operator in network.operators:
        for index in operator.inputs:
            base = memory.stands_for[index]
            if base != network.input:
                start = memory.offsets[base]
                assert {owner[at] for at in range(start, start + network.tensors[base].size)} == {base}
        if not is_alias(network, operator):
            start = memory.offsets[operator.output]
            size = network.tensors[operator.output].size
            assert start + size <= memory.size
            written = set(range(start, start + size))
            for index in operator.inputs:  # never in place
                base = memory.stands_for[index]
                if base != network.input:
                    first = memory.offsets[base]
                    assert written.isdisjoint(range(first, first + network.tensors[base].size))
            owner |= dict.fromkeys(written, operator.output)


def test_the_bundled_network_needs_no_more_than_its_largest_pair() -> None:
    (file,) = models.bundled_models("litert", "small")
    network = tflite_reader.read(sealed_model.read(file).payload)
    inside = [each for each in network.operators if not isinstance(each, Requantize | Reshape)][1:]
    pairs = [network.tensors[each.inputs[0]].size + network.tensors[each.output].size for each in inside]
    assert plan(network).size == max(pairs)
