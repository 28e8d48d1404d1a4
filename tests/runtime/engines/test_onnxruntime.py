from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mnist_edge_runtime.engines import onnxruntime
from mnist_edge_runtime.model_file import sealed_model

LIBRARY = "onnxruntime"


def test_a_model_is_described_without_its_contract(files: Mapping[str, Path]) -> None:
    """Its batch is free, which counts as one image; onnxruntime does not tell scales."""
    sealed = sealed_model.read(files["onnx-int8"])
    model = onnxruntime.load_model(sealed.payload, 1, LIBRARY)

    assert model.input == ("uint8", (1, 28, 28, 1), None, 0)
    assert model.output == ("uint8", (1, 10), None, 0)
    assert model.run(sealed.golden.images[..., np.newaxis]).shape == (len(sealed.golden.images), 10)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_session_has_the_threads_that_were_asked_for(files: Mapping[str, Path], threads: int) -> None:
    options = onnxruntime.session(sealed_model.read(files["onnx-none"]).payload, threads).get_session_options()

    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (threads, 1)


def test_dynamic_quantization_is_run_image_by_image(files: Mapping[str, Path]) -> None:
    """It takes the range of a whole batch: an answer would depend on the other images in it."""
    sealed = sealed_model.read(files["onnx-none"])
    dynamic = replace(sealed.contract, quantization="dynamic")

    assert onnxruntime.load(sealed.payload, dynamic, 1, LIBRARY).batch == 1
    assert onnxruntime.load(sealed.payload, sealed.contract, 1, LIBRARY).batch > 1
