from __future__ import annotations

import numpy as np
import pytest
from mnist_edge_trainer.handwriting.drawing import SIDE, count_holes, draw_ink, on_paper
from mnist_edge_trainer.handwriting.pen import Trace
from numpy.typing import NDArray


def stroke(*points: tuple[float, float], radius: float = 0.05, ink: float = 1.0) -> Trace:
    return Trace(np.array(points), np.full(len(points), radius), np.full(len(points), ink))


RING = stroke(*((np.cos(angle) / 2, np.sin(angle) / 2) for angle in np.linspace(0, 2 * np.pi, 80)))


def inked(ink: NDArray[np.float32]) -> tuple[int, int]:
    rows, columns = np.flatnonzero((ink > 0.5).any(axis=1)), np.flatnonzero((ink > 0.5).any(axis=0))
    return int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1


def test_a_stroke_lies_in_the_middle_with_a_margin() -> None:
    ink = draw_ink([stroke((0, -0.5), (0, 0.5))], 1)
    assert (ink.shape, ink.dtype, ink.max()) == ((SIDE, SIDE), np.float32, 1)
    assert inked(ink)[0] == pytest.approx(SIDE - 10, abs=1)
    assert inked(ink)[1] == pytest.approx((SIDE - 10) / 11, abs=1.5)
    assert not ink[:4].any()
    np.testing.assert_allclose(ink.sum(axis=0) @ np.arange(SIDE) / ink.sum(), (SIDE - 1) / 2, atol=0.6)


def test_extent_makes_it_smaller() -> None:
    assert inked(draw_ink([RING], 0.5))[0] == pytest.approx(inked(draw_ink([RING], 1))[0] / 2, abs=1.5)


def test_less_ink_is_lighter() -> None:
    assert draw_ink([stroke((0, -0.5), (0, 0.5), ink=0.6)], 1).max() == pytest.approx(0.6, abs=0.01)


@pytest.mark.parametrize(("traces", "holes"), [([stroke((0, 0), (0, 1))], 0), ([RING], 1),
                                               ([RING, stroke((-0.5, 0), (0.5, 0))], 2)])  # fmt: skip
def test_holes_are_counted(traces: list[Trace], holes: int) -> None:
    assert count_holes(draw_ink(traces, 1)) == holes


def test_a_speck_is_no_hole() -> None:
    ink = np.ones((SIDE, SIDE), np.float32)
    ink[0], ink[30:33, 30:33] = 0, 0
    assert (count_holes(ink), count_holes(ink, 9)) == (0, 1)


def test_the_picture_is_dark_on_light() -> None:
    random, ink = np.random.default_rng(0), draw_ink([RING], 1)
    pictures = [on_paper(ink, random) for _ in range(30)]
    for picture in pictures:
        assert (picture.dtype, picture.shape) == (np.uint8, (SIDE, SIDE))
        assert np.median(picture[ink > 0.9]) + 40 < np.median(picture[ink == 0])
    assert len({int(picture[0, 0]) for picture in pictures}) > 10, "paper of many greys"
