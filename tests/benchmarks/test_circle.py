"""The drawings of benchmarks/circle.py; its steps have their tests beside the pages that they use."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import circle


def test_a_drawing_depends_on_its_seed_and_lies_on_the_paper() -> None:
    seen = set()
    for digit in circle.DIGITS:
        for seed in circle.SEEDS:
            for number in range(3):
                strokes = circle.drawing(digit, seed, number)
                again = circle.drawing(digit, seed, number)
                assert all(np.array_equal(one, other) for one, other in zip(strokes, again, strict=True))
                points = np.vstack(strokes)
                assert np.ptp(points, axis=0).max() == pytest.approx(circle.EXTENT, abs=0.1)
                assert (points > 0.1).all()
                assert (points < 0.9).all()
                seen.add(points.tobytes())
    assert len(seen) == 10 * 2 * 3


def test_the_styles_that_the_page_names_were_held_out() -> None:
    for digit in "69":
        assert circle.STYLES[digit] in {style.name for style in circle.styles(digit, True)}
    assert {*circle.STYLES.values()} <= {
        style.name for digit in circle.DIGITS for held in (False, True) for style in circle.styles(digit, held)
    }


def test_a_command_that_ends_is_told() -> None:
    with pytest.raises(RuntimeError, match="there is no such folder"), circle.running("label", "nowhere", "--no-open"):
        pass


def test_what_has_changed_is_counted_both_ways() -> None:
    before = [("1", "7", True), ("1", "7", False), ("6", "8", False), ("3", "3", True), ("4", "4", True)]
    after = [("1", "1", True), ("1", "7", True), ("6", "6", False), ("3", "8", True), ("4", "4", True)]
    told = "of 3 that were read wrong 2 are read right: 1 of 2 1s, 1 of 1 6s; the other way round 1"
    assert circle.changes(before, after) == told
