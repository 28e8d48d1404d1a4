from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from mnist_edge_trainer.handwriting.pen import Hand, Trace, draw_hand, trace
from mnist_edge_trainer.handwriting.styles import styles
from numpy.typing import NDArray

STEADY = Hand(slant=0, turn=0, aspect=1, bend=0, jitter=0, tremor=0, speed=0, width=0.1, pressure=0, nib=None)


def traced(digit: str, name: str, **parts: Any) -> list[Trace]:
    (style,) = (each for each in styles(digit, False) if each.name == name)
    return trace(style, replace(STEADY, **parts), np.random.default_rng(1))


def way(*arguments: str, **parts: Any) -> NDArray[np.float64]:
    return np.vstack([each.points for each in traced(*arguments, **parts)])


def test_a_steady_hand_follows_the_path() -> None:
    points = way("7", "plain")
    np.testing.assert_allclose([points[0], points[-1]], [(-0.36, -0.46), (-0.06, 0.5)], atol=1e-9)
    assert np.linalg.norm(points - (0.34, -0.48), axis=1).min() < 0.02, "the sharp corner"
    assert len(points) > 50
    assert np.ptp(np.linalg.norm(np.diff(points, axis=0), axis=1)[2:-2]) < 0.012, "even steps"


def test_slant_leans_to_the_right() -> None:
    points = way("1", "stroke", slant=0.4)
    assert points[0, 0] == pytest.approx(0.2, abs=0.01)
    assert points[-1, 0] == pytest.approx(-0.2, abs=0.01)


def test_turn_is_clockwise() -> None:
    assert way("1", "stroke", turn=0.1)[0, 0] > 0.04


def test_aspect_is_the_width() -> None:
    assert np.ptp(way("0", "round", aspect=0.7)[:, 0]) == pytest.approx(0.7 * np.ptp(way("0", "round")[:, 0]))


def test_a_fast_hand_rounds_its_corners() -> None:
    corner = (0.34, -0.48)
    slow, fast = (np.linalg.norm(way("7", "plain", speed=speed) - corner, axis=1).min() for speed in (0.0, 1.0))
    assert fast > slow + 0.02


@pytest.mark.parametrize("part", ["jitter", "tremor", "bend"])
def test_a_hand_deviates(part: str) -> None:
    steady, other = (way("3", "round", **{part: value}) for value in (0, 3))
    reach = [np.linalg.norm(other - point, axis=1).min() for point in steady]
    assert 0.004 < np.mean(reach) < 0.06


def test_pressure_changes_the_width_and_the_ink() -> None:
    (even,), (pressed,) = (traced("2", "plain", pressure=pressure) for pressure in (0, 1))
    assert (np.ptp(even.radius), np.ptp(even.ink)) == (0, 0)
    assert even.radius[0] == 0.05
    assert np.ptp(pressed.radius) > 0.01
    assert np.ptp(pressed.ink) > 0.1


def test_a_broad_nib_draws_thick_in_one_direction_and_thin_in_another() -> None:
    (seven,) = traced("7", "plain", nib=0.8)
    assert np.ptp(seven.radius) > 0.015


def test_hands_differ_and_stay_within_reason() -> None:
    random = np.random.default_rng(0)
    hands = [draw_hand(random) for _ in range(300)]
    assert len({hand.slant for hand in hands}) > 200
    assert all(0.03 < hand.width <= 0.18 * hand.aspect and -0.3 <= hand.slant <= 0.45 for hand in hands)
    assert 0 < sum(hand.nib is not None for hand in hands) < 100


def test_a_calmer_hand_deviates_less_and_writes_thinner() -> None:
    hand = replace(STEADY, jitter=2, speed=1, width=0.2)
    calm = hand.calmer()
    assert (calm.jitter, calm.speed) == (1, 0.5)
    assert calm.width < hand.width
