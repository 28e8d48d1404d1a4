from __future__ import annotations

import numpy as np
import pytest
from mnist_edge_trainer.handwriting.styles import DIGITS, styles


@pytest.mark.parametrize("digit", DIGITS)
def test_a_digit_has_at_least_eight_styles_and_two_that_are_held_out(digit: str) -> None:
    training, held_out = styles(digit, False), styles(digit, True)
    assert len(training) + len(held_out) >= 8
    assert len(held_out) == 2
    assert not {style.name for style in training} & {style.name for style in held_out}
    assert {style.digit for style in (*training, *held_out)} == {digit}
    assert {style.held_out for style in held_out} == {True}


@pytest.mark.parametrize("digit", DIGITS)
def test_no_style_is_another_ones_drawn_again(digit: str) -> None:
    paths = [
        np.concatenate([points.ravel() for stroke in style.strokes for points in (stroke.first, stroke.last)]).tobytes()
        for style in (*styles(digit, False), *styles(digit, True))
    ]
    assert len(set(paths)) == len(paths)


@pytest.mark.parametrize(
    ("digit", "words"),
    [("0", "slash"), ("1", "long upstroke"), ("1", "foot"), ("4", "open"), ("4", "closed"), ("5", "apart"),
     ("2", "loop"), ("6", "high loop"), ("6", "low loop"), ("7", "crossed"), ("8", "two circles"), ("9", "curled")],
)  # fmt: skip
def test_what_schools_teach_is_among_those_that_train(digit: str, words: str) -> None:
    assert [style for style in styles(digit, False) if words in style.name]


def test_a_point_may_lie_within_a_range_and_turn_sharply() -> None:
    (upstroke,) = (style for style in styles("1", False) if style.name == "whole upstroke")
    (stroke,) = upstroke.strokes
    assert stroke.sharp == (False, True, False)
    np.testing.assert_array_equal(stroke.first[1:], stroke.last[1:])
    # From 62 to 100 % of the digit's height.
    assert (stroke.first[0, 1], stroke.last[0, 1]) == (62, 100)
