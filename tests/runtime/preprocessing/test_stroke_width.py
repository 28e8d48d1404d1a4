from __future__ import annotations

import numpy as np
import pytest
from mnist_edge_runtime.preprocessing import mnist
from mnist_edge_runtime.preprocessing.stroke_width import mean_width, normalize_stroke_width
from mnist_edge_trainer.demo.synthetic_digits import draw
from numpy.typing import NDArray


def _bar(length: int, width: int) -> NDArray[np.uint8]:
    """Return a bar of full strength; its length is the longer side."""
    return np.full((length, width), 255, np.uint8)


@pytest.mark.parametrize("length", [40, 200, 1000])
def test_a_hairline_becomes_as_wide_as_a_pen(length: int) -> None:
    image = mnist.normalized(_bar(length, max(1, length // 200)))

    widths = (image[8:20] > 127).sum(axis=1)

    assert widths.min() >= 2
    assert widths.max() <= 3


def test_a_bold_stroke_is_left_as_it_is() -> None:
    bar = _bar(100, 20)

    assert normalize_stroke_width(bar) is bar


def test_the_mean_width_is_twice_the_area_by_the_outline() -> None:
    """In sixteenths of a pixel; an outline of steps is counted as pi / 4 of its length."""
    assert mean_width(_bar(100, 10)) == 16 * 2 * 1000 * 4 * 226 // (355 * 2 * 220)
    assert mean_width(np.full((1, 1), 200, np.uint8)) == 16 * 2 * 4 * 226 // (355 * 2 * 4)


def test_a_hairline_is_widened_by_crosses_and_squares_in_turn() -> None:
    widened = normalize_stroke_width(_bar(80, 1))

    # 80 x 11 / 100 - 1.2 pixels are 3.7 on each side: a cross, a square, a cross, and the rest of a square.
    assert widened.shape == (88, 9)
    assert widened[40].tolist() == [191, 255, 255, 255, 255, 255, 255, 255, 191]
    assert (widened[0] > 0).tolist() == [False, False, True, True, True, True, True, False, False]


@pytest.mark.parametrize("digit", "0123456789")
def test_pens_of_any_width_give_much_the_same_image(digit: str) -> None:
    hair, thin, usual = (mnist.to_mnist(draw(digit, size=400, pen=pen)).astype(float) for pen in (0.003, 0.008, 0.03))

    assert np.abs(hair - thin).mean() < 25
    assert hair.sum() > 0.5 * usual.sum()
