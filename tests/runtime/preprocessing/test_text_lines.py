from __future__ import annotations

import numpy as np
import pytest
from mnist_edge_runtime.preprocessing.connected_components import Components
from mnist_edge_runtime.preprocessing.text_lines import text_lines

Box = tuple[int, int, int, int]  # top, left, bottom, right


def _arranged(*boxes: Box) -> list[list[list[Box]]]:
    """Return the boxes of each digit of each line."""
    mask = np.zeros((600, 800), bool)
    for top, left, bottom, right in boxes:
        mask[top:bottom, left:right] = True
    parts = Components(mask)
    box = [
        tuple(int(side[n]) for side in (parts.top, parts.left, parts.bottom, parts.right)) for n in range(len(parts))
    ]
    return [[sorted(box[n] for n in digit) for digit in line] for line in text_lines(parts, 100)]  # type: ignore[misc]


FIRST, SECOND, BELOW = (100, 50, 200, 110), (105, 150, 205, 210), (300, 60, 400, 120)


def test_lines_are_in_order_and_their_digits_too() -> None:
    assert _arranged(BELOW, SECOND, FIRST) == [[[FIRST], [SECOND]], [[BELOW]]]


def test_the_bar_of_a_five_belongs_to_it_and_dust_to_nothing() -> None:
    bar, speck, far = (80, 155, 92, 215), (150, 400, 155, 405), (250, 155, 285, 190)

    assert _arranged(FIRST, SECOND, bar, speck) == [[[FIRST], [bar, SECOND]]]
    # Small parts between two lines are of neither; above each other, but apart, they are no digit.
    assert _arranged(FIRST, SECOND, far)[0] == [[FIRST], [SECOND], [far]] or len(_arranged(FIRST, SECOND, far)[0]) == 2


def test_two_digits_that_lean_on_each_other_are_two() -> None:
    leaning = (100, 90, 200, 150)
    mask_gap = (100, 50, 200, 85)

    assert _arranged(mask_gap, leaning) == [[[mask_gap], [leaning]]]


@pytest.mark.parametrize(("top", "lines"), [(175, 1), (230, 2)])
def test_a_digit_beside_a_line_belongs_to_it_if_it_shares_some_of_its_height(top: int, lines: int) -> None:
    beside = (top, 300, top + 90, 310)

    assert len(_arranged(FIRST, SECOND, beside)) == lines


def test_what_lies_below_is_another_line_even_if_they_touch_in_height() -> None:
    below = (180, 60, 290, 130)
    assert len(_arranged((100, 50, 160, 110), (105, 150, 200, 210), below)) == 2
