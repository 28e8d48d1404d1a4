from __future__ import annotations

import numpy as np
import pytest
from mnist_edge_runtime.preprocessing import mnist
from mnist_edge_runtime.preprocessing.stroke_width import normalize_stroke_width
from mnist_edge_trainer.demo.synthetic_digits import draw
from numpy.typing import NDArray


def _bar(length: int, width: int) -> NDArray[np.float32]:
    """Return a bar of full strength; its length is the longer side."""
    return np.ones((length, width), np.float32)


@pytest.mark.parametrize("length", [40, 200, 1000])
def test_a_hairline_becomes_as_wide_as_a_pen(length: int) -> None:
    image = mnist.normalize_size(_bar(length, max(1, length // 200)))

    widths = (image[8:20] > 127).sum(axis=1)

    assert widths.min() >= 2
    assert widths.max() <= 3


def test_a_bold_stroke_is_left_as_it_is() -> None:
    bar = _bar(100, 20)

    assert normalize_stroke_width(bar) is bar


@pytest.mark.parametrize("digit", "0123456789")
def test_pens_of_any_width_give_much_the_same_image(digit: str) -> None:
    hair, thin, usual = (mnist.to_mnist(draw(digit, size=400, pen=pen)).astype(float) for pen in (0.003, 0.008, 0.03))

    assert np.abs(hair - thin).mean() < 25
    assert hair.sum() > 0.5 * usual.sum()
