from __future__ import annotations

import io

import numpy as np
import pytest
from mnist_edge_runtime import InputError
from mnist_edge_runtime.preprocessing.pgm import load_pgm


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"P5 2 1 255\n\x00\xff", [[0, 255]]),
        (b"P5\n# a comment\n2 1 3\n\x00\x03", [[0, 255]]),
        (b"P5 2 1 65535\n\x00\x00\xff\xff", [[0, 255]]),
        (b"P2 3 1 9\n0 9 # nine\n3\n", [[0, 255, 85]]),
        (b"P2 4 1 100\n30 50 70 90\n", [[77, 128, 179, 230]]),  # halves go up
    ],
)
def test_plain_and_raw_in_all_depths(data: bytes, expected: list[list[int]]) -> None:
    np.testing.assert_array_equal(load_pgm(io.BytesIO(data)), expected)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"P5 2 1", "header cannot be read"),
        (b"P5 2 1 0\n\x00\x00", "maximum is 0"),
        (b"P5 2 1 255\n\x00", "cut short: 50% of its pixels are missing"),
        (b"P5 2 1 3\n\x00\x04", "a pixel is above its maximum"),
        (b"P5 9 9 255\n", "cut short: 100%"),
        (b"P2 2 1 9\n1 x", "."),
        (b"P5 99999 99999 255\n", "megapixels"),
    ],
)
def test_what_is_no_pgm_is_refused(data: bytes, message: str) -> None:
    with pytest.raises((InputError, ValueError), match=message):
        load_pgm(io.BytesIO(data))


@pytest.mark.parametrize("data", [b"P5 5 4 9\n" + b"\3" * 18, b"P2 5 4 9\n" + b"3 " * 18])
def test_missing_pixels_at_the_end_become_white(data: bytes) -> None:
    np.testing.assert_array_equal(load_pgm(io.BytesIO(data)).ravel(), [85] * 18 + [255] * 2)


def test_half_a_pixel_at_the_end_is_a_missing_one() -> None:
    found = load_pgm(io.BytesIO(b"P5 5 4 65535\n" + bytes(39)))
    np.testing.assert_array_equal(found.ravel(), [0] * 19 + [255])
