"""Generate handwritten digits: each picture depends on the seed and its number alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from mnist_edge_runtime.errors import BlankError
from mnist_edge_runtime.preprocessing.mnist import normalize_size, to_mnist
from numpy.typing import NDArray

from .drawing import count_holes, draw_ink, on_paper
from .pen import Hand, draw_hand, trace
from .styles import DIGITS, Style, styles

__all__ = ["VERSION", "Written", "generate", "number_of"]

VERSION = 2  # of what a seed and a number give; a change of styles, pen or drawing makes it another one
_ATTEMPTS = 6  # to write a digit whose loops are open where they should be, and closed where they should be
_SHEETS = 3  # of paper that a digit is put on until the preprocessing finds all of it
_PIXELS = 2  # of a hole in an image as the network sees it; one is chance
_LOST = 0.04  # share of a digit's ink; where more of it is not found, another digit may be left
# Of the hand, by digit or words in the style. Leaning, turned or wide, the upstroke of a 1 becomes the bar of a 7; a
# narrow 2 becomes a 1 with a foot, a narrow 6 a 0, a narrow slashed 0 an 8, and two thick strokes side by side a blot.
_LIMITS: Mapping[str, Mapping[str, tuple[float, float]]] = {
    "1": {"slant": (-0.2, 0.3), "turn": (-0.08, 0.06), "aspect": (0.65, 1.0), "jitter": (0, 2)},
    "2": {"aspect": (0.8, 1.3), "jitter": (0, 2.5)},
    "7": {"slant": (-0.05, 0.4), "turn": (-0.08, 0.08), "aspect": (0.85, 1.3)},
    "slash": {"width": (0.04, 0.12), "aspect": (0.9, 1.3)},
    "whole upstroke": {"width": (0.04, 0.12)},
    "high loop": {"aspect": (0.85, 1.3)},
}
_NEUTRAL = Hand(0, 0, 1, 0, 0, 0, 0, 0.07, 0, None)


@dataclass(frozen=True)
class Written:
    """A digit in a style: dark on light paper, uint8 (H, W), and as the network sees it, uint8 (28, 28)."""

    style: Style
    picture: NDArray[np.uint8]
    image: NDArray[np.uint8]


def generate(seed: int, number: int, *, held_out: bool = False) -> Written:
    """Generate the picture of this seed and number; ten numbers in a row are the ten digits.

    A reader must not take it for another digit: a loop that jitter or a thick pen has closed or opened is written
    again, by a calmer hand.

    Args:
        seed: random seed, 0 or more.
        number: of the picture, 0 or more; each digit takes turns through its styles.
        held_out: write in the styles that are held out, instead of those that train.
    """
    digit = DIGITS[number % 10]
    choice = styles(digit, held_out)
    style = choice[number // 10 % len(choice)]
    random = np.random.default_rng([seed, number, int(held_out)])
    hand = _legible(draw_hand(random), style)
    extent = random.uniform(0.8, 1)
    for _ in range(_ATTEMPTS):
        ink = draw_ink(trace(style, hand, random), extent)
        if count_holes(ink) == _holes(style):
            break
        hand = hand.calmer()
    else:
        calm = replace(_NEUTRAL, slant=hand.slant, turn=hand.turn)
        ink = draw_ink(trace(style, calm, random), extent)
    expected = normalize_size(ink)
    for _ in range(_SHEETS):
        picture = on_paper(ink, random)
        try:
            image = to_mnist(picture)
        except BlankError:  # faint ink on dark paper: it found none
            continue
        if _same(image, expected):
            return Written(style, picture, image)
    return Written(style, picture, expected)


def number_of(style: Style, turn: int) -> int:
    """Return the number whose picture is the digit's `turn`-th in this style."""
    choice = styles(style.digit, style.held_out)
    return int(style.digit) + 10 * (choice.index(style) + len(choice) * turn)


def _same(image: NDArray[np.uint8], expected: NDArray[np.uint8]) -> bool:
    """Return whether the preprocessing found all of the ink and no more, and filled no loop."""
    if count_holes(image / np.float32(255), _PIXELS) != count_holes(expected / np.float32(255), _PIXELS):
        return False
    return max(_lost(expected, image), _lost(image, expected)) <= _LOST


def _lost(image: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Return the share of an image's ink that has no ink of the other within a pixel."""
    from scipy.ndimage import maximum_filter

    return float((maximum_filter(other, 3)[image > 64] < 32).mean())


def _legible(hand: Hand, style: Style) -> Hand:
    """Return the hand within the limits that keep a 1 apart from a 7, and a slashed 0 from an 8."""
    for key, limits in _LIMITS.items():
        if key == style.digit or key in style.name:
            hand = replace(hand, **{name: float(np.clip(getattr(hand, name), *limits[name])) for name in limits})
    return hand


@cache
def _holes(style: Style) -> int:
    """Count the holes of a style, written without deviation."""
    return count_holes(draw_ink(trace(style, _NEUTRAL, np.random.default_rng(0)), 1))
