from __future__ import annotations

import numpy as np
import pytest
from mnist_edge_runtime.preprocessing.ruled_lines import without_ruled_lines
from numpy.typing import NDArray

Plane = NDArray[np.uint8]


def _lines(slope: float, bend: float = 0.0, thickness: int = 2) -> Plane:
    """Return lines of ruled paper, which may rise and bend."""
    ink = np.zeros((400, 600), np.uint8)
    x = np.arange(600)
    for start in (90, 190, 290):
        y = (start + slope * x + bend * np.sin(x / 600 * np.pi)).astype(int)
        for row in range(thickness):
            ink[y + row, x] = 120
    return ink


def _strokes() -> Plane:
    ink = np.zeros((400, 600), np.uint8)
    ink[60:150, 100:110] = 200  # upright, over a line
    ink[60:70, 200:260] = 200  # a bar, as that of a 7
    ink[220:310, 300:308] = 200
    return ink


@pytest.mark.parametrize("slope", [-0.08, -0.02, 0.0, 0.05])
@pytest.mark.parametrize("bend", [0.0, 12.0])
def test_lines_go_and_strokes_stay(slope: float, bend: float) -> None:
    strokes = _strokes()
    ink = np.maximum(_lines(slope, bend), strokes)

    erased = without_ruled_lines(ink, ink > 0)

    assert erased is not None
    assert erased[strokes > 0].min() == 200
    assert (erased[strokes == 0] > 0).sum() < 0.02 * (ink[strokes == 0] > 0).sum()


def test_squared_paper_has_lines_in_both_directions() -> None:
    ink = np.zeros((400, 600), np.uint8)
    ink[50::70, :] = ink[:, 40::70] = 120
    ink[210:240, 130:138] = 200

    erased = without_ruled_lines(ink, ink > 0)

    assert erased is not None
    assert erased[212:238, 130:138].min() == 200
    assert (erased > 0).sum() < 300


@pytest.mark.parametrize("width", [2, 12])
def test_a_tall_one_alone_is_no_line_of_the_paper(width: int) -> None:
    ink = np.zeros((400, 200), np.uint8)
    ink[20:380, 100 : 100 + width] = 200

    assert without_ruled_lines(ink, ink > 0) is None


def test_a_row_of_bars_is_no_line() -> None:
    """As wide digits such as 7 have them side by side."""
    ink = np.zeros((400, 600), np.uint8)
    for left in range(30, 570, 90):
        ink[100:104, left : left + 40] = ink[100:180, left + 36 : left + 40] = 200

    assert without_ruled_lines(ink, ink > 0) is None
    assert without_ruled_lines(ink, np.zeros_like(ink, bool)) is None


def test_lines_behind_one_digit_may_be_wider_and_a_small_picture_has_none() -> None:
    ink = _lines(0.0, thickness=12)

    behind = without_ruled_lines(ink, ink > 0, behind_one=True)

    assert without_ruled_lines(ink, ink > 0) is None
    assert behind is not None
    assert not behind.any()
    assert without_ruled_lines(ink[80:110, :30], ink[80:110, :30] > 0, behind_one=True) is None


def test_ink_below_a_line_that_two_bins_share_stays() -> None:
    """Of a line that steps from one bin to the next, the runs are found in both; nothing below it is erased."""
    ink = np.zeros((400, 600), np.uint8)
    ink[0, 300] = 200  # what the bins of 10 rows are counted from
    ink[np.where(np.arange(600) % 4 < 2, 98, 101), np.arange(600)] = 120
    ink[300:360, 280:300] = 200
    line = ink == 120

    erased = without_ruled_lines(ink, ink > 0)

    assert erased is not None
    assert np.array_equal(erased, np.where(line, np.uint8(0), ink))
