from __future__ import annotations

import numpy as np
import pytest
from mnist_edge_exporters.integer.rounding import FLOAT32, INTEGERS, TFLM, factor, half_away, mantissas, multiplier

RANDOM = np.random.default_rng(0)
SCALES = (RANDOM.random(1000) * 2.0 ** RANDOM.integers(-16, 1, 1000)).astype(np.float32)


@pytest.mark.parametrize("bits", [12, 20, 24, 28, 30])
def test_integers_alone_round_as_float32_does(bits: int) -> None:
    """Sums above 24 bits are rounded by float32 before they are multiplied."""
    sums = RANDOM.integers(-(1 << bits), 1 << bits, (400, len(SCALES)))
    expected = FLOAT32.scale(sums, 0.5, SCALES, 3.0)
    np.testing.assert_array_equal(INTEGERS.scale(sums, 0.5, SCALES, 3.0), expected)


def test_exact_halves_go_to_the_even_neighbour() -> None:
    sums = np.array([[-5], [-3], [-1], [1], [3], [5]])
    for how in (FLOAT32, INTEGERS):
        assert how.scale(sums, 1.0, np.ones(1, np.float32), 2.0).ravel().tolist() == [-2, -2, 0, 0, 2, 2]
    assert TFLM.scale(sums, 1.0, np.ones(1, np.float32), 2.0).ravel().tolist() == [-2, -1, 0, 1, 2, 3]


def test_quotients_of_a_mean_round_halves_away_from_zero() -> None:
    values, counts = np.array([-7, -6, -5, -2, 0, 2, 5, 6, 7]), np.array([4, 4, 2, 4, 4, 4, 2, 4, 4])
    assert half_away(values, counts).tolist() == [-2, -2, -3, -1, 0, 1, 3, 2, 2]


def test_the_cheap_shift_is_not_exact() -> None:
    """Rounding the exact product half up, once, is what the exact way is needed for."""
    sums = RANDOM.integers(-(1 << 22), 1 << 22, (2000, len(SCALES)))
    mantissa, shift = mantissas(factor(1.0, SCALES, 1.0))
    cheap = (sums * mantissa + (np.int64(1) << (shift - 1))) >> shift
    differ = cheap != INTEGERS.scale(sums, 1.0, SCALES, 1.0)
    near = np.abs(((sums * mantissa) & ((np.int64(1) << shift) - 1)) - (np.int64(1) << (shift - 1)))
    assert np.count_nonzero(differ) > 0
    small = np.abs(cheap) < 256
    assert (near / 2.0**shift)[differ & small].max() <= 2**-16


def test_a_scale_is_its_mantissa_and_shift() -> None:
    mantissa, shift = mantissas(SCALES)
    assert (mantissa < 1 << 24).all()
    np.testing.assert_array_equal(mantissa / 2.0**shift, SCALES)


@pytest.mark.parametrize("scale", [1e-6, 0.25, 0.7, 1.0, 1 - 2**-40, 3.5])
def test_a_multiplier_has_31_bits(scale: float) -> None:
    whole, exponent = multiplier(scale)
    assert 1 << 30 <= whole < 1 << 31
    assert whole * 2.0 ** (exponent - 31) == pytest.approx(scale, rel=2**-31)
