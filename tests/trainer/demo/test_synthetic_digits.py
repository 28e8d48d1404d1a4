from __future__ import annotations

import numpy as np
import pytest
from mnist_edge_runtime.preprocessing.mnist import to_mnist
from mnist_edge_trainer.demo.synthetic_digits import draw
from numpy.typing import NDArray
from PIL import Image

DIGITS = "0123456789"


def ink(picture: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return picture < 128


@pytest.mark.parametrize("digit", DIGITS)
class TestEveryDigit:
    def test_dark_ink_on_light_paper(self, digit: str) -> None:
        picture = draw(digit)
        assert picture.dtype == np.uint8
        assert picture.shape == (160, 160)
        border = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
        assert len(set(border.tolist())) == 1
        assert border[0] > 200
        assert picture.min() < 60
        assert 0.02 < ink(picture).mean() < 0.3

    def test_it_is_the_same_each_time(self, digit: str) -> None:
        np.testing.assert_array_equal(draw(digit, tilt=3), draw(digit, tilt=3))

    @pytest.mark.parametrize("size", [20, 64, 300])
    def test_size(self, digit: str, size: int) -> None:
        picture = draw(digit, size=size)
        assert picture.shape == (size, size)
        assert ink(picture).mean() == pytest.approx(ink(draw(digit)).mean(), rel=0.25)

    def test_a_thicker_pen_leaves_more_ink(self, digit: str) -> None:
        thin, usual, thick = (ink(draw(digit, pen=pen)).sum() for pen in (0.02, 0.045, 0.08))
        assert thin < usual < thick

    def test_tilting_turns_it_clockwise(self, digit: str) -> None:
        upright, tilted = Image.fromarray(draw(digit)), ink(draw(digit, tilt=12))
        # Pillow turns the other way round.
        with_it, against_it = (ink(np.asarray(upright.rotate(angle, fillcolor=245))) for angle in (-12, 12))
        assert (tilted != with_it).sum() < (tilted != against_it).sum() / 3

    def test_the_runtime_can_bring_it_to_mnists_form(self, digit: str) -> None:
        image = to_mnist(draw(digit))
        assert image.shape == (28, 28)
        assert image.max() == 255
        assert image[0].max() == image[:, 0].max() == 0


def test_no_two_digits_look_alike() -> None:
    """Not even when each is brought into the same box."""
    images = [to_mnist(draw(digit)).astype(int) for digit in DIGITS]
    differences = [np.abs(one - other).mean() for number, one in enumerate(images) for other in images[:number]]
    assert min(differences) > 5


def test_edges_are_smooth() -> None:
    assert len(np.unique(draw("0"))) > 50


@pytest.mark.parametrize(
    ("digit", "holes"), [("0", 1), ("1", 0), ("2", 0), ("3", 0), ("5", 0), ("7", 0), ("8", 2), ("9", 1)]
)
def test_strokes_enclose_what_they_should(digit: str, holes: int) -> None:
    from scipy.ndimage import label

    _, paper = label(~ink(draw(digit)))
    assert paper - 1 == holes
