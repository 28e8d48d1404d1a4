from __future__ import annotations

import numpy as np
import pytest
from mnist_edge_runtime.engines.tensor_codec import decoder, encoder
from mnist_edge_runtime.model_file.contract import InputSpec, OutputSpec

ALL_PIXELS = np.resize(np.arange(256, dtype=np.uint8), (2, 28, 28))


@pytest.mark.parametrize("count", [0, 1, 7])
@pytest.mark.parametrize("spec", [InputSpec("float32", 1.0, 0), InputSpec("uint8", 1 / 255, 0)], ids=str)
def test_a_batch_gains_a_channel(spec: InputSpec, count: int) -> None:
    tensor = encoder(spec)(np.zeros((count, 28, 28), np.uint8))

    assert (tensor.shape, tensor.dtype) == ((count, 28, 28, 1), np.dtype(spec.dtype))


def test_a_float_tensor_holds_what_training_computes_to_the_last_bit() -> None:
    tensor = encoder(InputSpec("float32", 1.0, 0))(ALL_PIXELS)

    np.testing.assert_array_equal(tensor[..., 0], ALL_PIXELS.astype(np.float32) / np.float32(255))


@pytest.mark.parametrize("scale", [1 / 255, float(np.float32(1 / 255)), 0.003921568859368563])
def test_a_uint8_tensor_of_that_scale_holds_the_pixels_themselves(scale: float) -> None:
    tensor = encoder(InputSpec("uint8", scale, 0))(ALL_PIXELS)

    np.testing.assert_array_equal(tensor[..., 0], ALL_PIXELS)


@pytest.mark.parametrize(
    ("dtype", "scale", "zero_point"),
    [
        ("int8", 1 / 255, -128),
        ("int8", 1 / 127, 0),
        ("uint8", 2 / 255, 0),
        ("uint8", 1 / 100, 20),
        ("uint8", 1 / 255, 3),
        ("uint8", 0.5 / 255, 0),
        ("int8", 0.001, 100),
    ],
)
def test_a_quantized_tensor_holds_rounded_steps_within_its_range(dtype: str, scale: float, zero_point: int) -> None:
    limits = np.iinfo(dtype)
    expected = [
        min(max(round(pixel / 255 / scale) + zero_point, limits.min), limits.max) for pixel in range(256)
    ]  # the contract's words: quantized = real / scale + zero_point

    tensor = encoder(InputSpec(dtype, scale, zero_point))(ALL_PIXELS)

    assert tensor.dtype == np.dtype(dtype)
    np.testing.assert_allclose(tensor.ravel()[:256].astype(int), expected, atol=1)
    assert (tensor.ravel()[:256] != expected).mean() < 0.02  # halves may be rounded either way


def test_the_pixels_are_not_changed() -> None:
    pixels = ALL_PIXELS.copy()
    pixels.setflags(write=False)

    for spec in (InputSpec("float32", 1.0, 0), InputSpec("uint8", 1 / 255, 0), InputSpec("int8", 1 / 255, -128)):
        encoder(spec)(pixels)

    np.testing.assert_array_equal(pixels, ALL_PIXELS)


@pytest.mark.parametrize(
    ("dtype", "scale", "zero_point"), [("uint8", 0.25, 136), ("int8", 0.25, -3), ("uint8", 0.1, 0)]
)
def test_quantized_logits_become_real(dtype: str, scale: float, zero_point: int) -> None:
    limits = np.iinfo(dtype)
    raw = np.array([[limits.min, zero_point, limits.max]], dtype)

    logits = decoder(OutputSpec(dtype, scale, zero_point))(raw)

    assert logits.dtype == np.float32
    expected = [(value - zero_point) * scale for value in (int(limits.min), zero_point, int(limits.max))]
    np.testing.assert_allclose(logits, [expected], rtol=1e-6)


def test_float_logits_stay_as_they_are() -> None:
    raw = np.array([[-1.5, 0.0, np.pi]], np.float32)

    logits = decoder(OutputSpec("float32", 1.0, 0))(raw)

    assert logits.dtype == np.float32
    np.testing.assert_array_equal(logits, raw)
