"""Define the styles of each digit: pen paths, with the variants that people learn at school in different countries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["DIGITS", "Stroke", "Style", "styles"]

DIGITS = "0123456789"

# The strokes of each style, apart by ";". A stroke is the curve through its points "x,y", in hundredths of the digit's
# height, x to the right and y downwards; at a point with "!" it turns sharply. A point "x,y>x,y" lies anywhere between
# the two, the same share of the way for all points of a digit.
_PATHS: Mapping[str, Mapping[str, str]] = {
    "0": {
        "oval": "52,0 25,15 16,50 26,86 50,100 74,86 84,50 75,15 52,0",
        "round": "50,2 15,16 0,50 15,84 50,98 85,84 100,50 85,16 50,2",
        "narrow": "52,0 36,12 28,50 36,88 50,100 64,88 72,50 64,12 50,0",
        "open top": "42,4>36,8 20,24 14,52 26,88 50,100 75,86 86,50 80,20 58,0",
        "crossed ends": "62,14 44,2 20,20 14,55 28,90 52,100 78,84 86,48 74,12 50,4 34,14>28,26",
        "slashed": "50,0 20,14 8,50 20,86 50,100 80,86 92,50 80,14 50,0; 78,18 22,82",
        "square": "30,4 16,14 14,50 18,90 34,98 66,97 84,86 86,50 82,14 66,3 30,4",
        "clockwise": "26,14 54,0 82,20 86,55 72,92 46,100 20,82 14,46 24,16 48,4>54,12",
        "egg": "70,4 40,8 16,44 12,80 30,98 58,92 84,56 88,20 70,4",
        "long slash": "50,4 20,16 8,50 20,84 50,96 80,84 92,50 80,16 50,4; 100,0 0,100",
        "loop at the top": "74,6>80,-2 58,18 40,12 44,0 58,4 56,14 30,14 14,50 26,88 52,100 78,84 86,50 76,18 58,4",
        "straight strokes": "18,2 82,2! 82,98! 18,98! 18,0",
    },
    "1": {
        "stroke": "50,0 50,100",
        "slanted stroke": "58,0>68,0 42,100>32,100",
        "curved stroke": "56,0>46,0 50,50 54,100>46,100",
        "short upstroke": "38,18>24,34 54,0! 53,100",
        "long upstroke": "24,32>2,58 56,0! 55,100",
        "whole upstroke": "20,62>12,100 60,0! 60,100",
        "foot": "50,0 50,100!; 28,100 72,100>78,100",
        "upstroke and foot": "34,24>22,34 54,0! 54,100!; 28,100 78,100",
        "long upstroke and foot": "24,42>4,62 56,0! 56,100!; 34,100 80,100",
        "bowed upstroke": "12,44>4,64 40,28 56,0! 55,100",
        "bowed upstroke and foot": "20,32>12,48 42,20 55,0! 54,99; 28,99 46,95 62,102 80,97",
    },
    "2": {
        "plain": "16,24 30,4 58,0 78,18 70,44 42,72 14,98! 88,98",
        "looped": "16,22 34,3 62,2 78,20 66,48 38,78 18,96 8,88 20,78 42,88 66,99 92,90",
        "small loop": "18,24 36,3 64,3 78,22 64,50 36,80 20,97 14,91 24,87 44,95 88,96",
        "angular": "16,16 32,3 66,2 78,14! 16,97! 86,97",
        "curled start": "36,30 22,34 16,20 34,2 62,2 78,20 68,46 38,76 14,98! 88,96",
        "round base": "16,22 34,2 64,2 78,22 64,50 36,76 22,92 34,99 60,96 88,97",
        "short neck": "20,20 42,4 72,12 78,34 54,64 16,98! 86,98",
        "narrow": "22,24 34,3 60,1 74,20 58,56 24,98! 80,97",
        "wave base": "16,24 34,2 64,3 78,22 64,52 16,94! 36,88 60,99 90,90",
        "large loop": "16,24 34,3 64,3 78,22 62,52 32,84 12,98 4,86 18,74 40,84 62,98 92,90",
        "swan": "24,30 26,8 50,0 72,12 74,34 56,62 22,92! 48,84 70,98 92,84",
        "straight strokes": "16,2 82,2! 82,50! 18,50! 18,98! 84,98",
        "round top, straight strokes": "22,24 24,8 48,0 74,6 80,22 80,86! 18,86 16,98! 92,98",
    },
    "3": {
        "round": "18,12 42,0 72,10 74,34 42,46! 76,56 82,82 52,100 16,90",
        "soft waist": "18,14 44,0 74,12 70,36 46,46 72,56 84,78 56,100 16,88",
        "flat top": "16,2 78,2! 42,40! 72,48 84,74 62,98 18,92",
        "looped waist": "18,12 44,0 74,12 66,36 46,48 36,44 44,38 60,48 80,62 78,88 48,100 16,90",
        "angular": "18,4 72,20! 36,46! 80,74! 18,98",
        "large lower bow": "26,10 48,0 66,10 64,30 40,38! 78,50 88,78 52,100 12,90",
        "large upper bow": "14,14 44,0 84,14 82,44 42,58! 72,66 76,86 48,100 20,92",
        "curled ends": "30,24 18,20 26,4 50,0 74,12 72,36 42,46! 76,56 82,82 52,100 20,92 16,85",
        "long tail": "16,10 42,0 72,8 72,34 44,44! 76,54 84,78 56,98 26,100 0,90>-6,82",
        "flat top and long tail": "18,3 76,2! 42,38! 74,44 86,70 66,97 30,100 6,88",
        "looped waist, curled": "28,24 18,16 42,0 74,12 66,38 46,49 36,44 44,38 60,49 82,62 80,88 50,100 20,93 16,86",
        "straight strokes": "16,2 82,2! 82,98! 20,98; 26,50>40,50 82,50",
    },
    "4": {
        "open": "38,0>28,0 14,62! 92,62; 70,18>70,2 66,100",
        "closed": "62,0 8,66! 92,66; 64,0 64,100",
        "tall arms": "24,2 20,54! 90,54; 78,0 74,100",
        "round arm": "20,4 16,36 30,54 56,54 76,44; 80,0 74,100",
        "short bar": "66,0 8,66! 76,68>84,68; 67,0 67,100",
        "stem from the middle": "50,0>42,0 10,66! 92,64; 64,44>64,34 60,100",
        "with a foot": "60,0 8,66! 92,66; 62,0 62,100; 42,100 80,100",
        "bent arm": "36,0 22,34 12,60! 92,58; 72,16 66,100",
        "slanted stem": "30,2 16,58! 88,52; 80,6 50,100",
        "high bar": "32,0 20,46! 90,46; 74,0 70,100",
        "low bar": "62,0 6,78! 92,78; 64,0 64,100",
        "looped corner": "38,0 18,54 10,68 20,72 30,62 92,60; 68,16 64,100",
        "stem from the middle, curved": "44,0 26,38 10,66! 90,60; 66,40 60,72 44,100",
        "straight strokes": "16,2 18,54! 82,54; 80,2 82,100",
    },
    "5": {
        "plain": "30,2 26,44! 54,36 82,56 80,84 50,100 16,90; 30,2 82,2",
        "bar apart": "26,6 24,46! 54,38 82,58 78,86 48,100 14,90; 36,-2>42,-6 86,-4",
        "in one stroke": "82,2 32,3! 26,44! 56,38 82,58 78,86 48,100 14,90",
        "like an S": "82,4 46,2 28,18 38,40 66,54 82,74 60,98 16,94",
        "rising bar": "30,10 26,46! 56,40 82,58 78,86 48,100 14,90; 30,10 84,-4",
        "long bar": "24,3 22,44! 54,36 82,56 80,84 50,100 14,90; 22,4 98,0",
        "large belly": "34,0 28,34! 60,28 90,54 82,86 46,100 12,92; 34,0 78,0",
        "small belly": "28,0 26,54! 52,50 78,64 74,88 50,100 18,94; 28,0 80,2",
        "angular": "30,2 28,44! 72,46! 80,70 70,92 16,98; 30,2 82,2",
        "bar through the stem": "32,-4 26,44! 54,36 82,56 80,84 50,100 16,90; 14,7 84,3",
        "bar high above": "24,8 24,46! 54,38 82,58 78,86 48,100 14,90; 30,-10 86,-14",
        "round corner": "36,2 28,20 30,42 58,40 84,60 76,90 44,100 14,86; 36,2 86,0",
        "straight strokes": "82,2 18,2! 18,48! 80,48! 80,98! 16,98",
    },
    "6": {
        "plain": "70,2 40,22 20,58 24,88 50,100 76,88 78,64 54,52 30,62 20,82",
        "high loop": "74,-2 36,20 16,58 26,92 54,100 82,84 82,52 54,36 28,48 18,66",
        "low loop": "70,0 44,20 24,60 22,86 44,100 70,94 74,76 52,66 32,74 22,88",
        "straight stem": "64,0 22,66 28,94 52,100 76,88 76,66 52,56 22,74",
        "hooked top": "82,12 66,0 42,10 22,46 20,82 46,100 76,88 78,64 52,52 20,74",
        "large loop": "76,4 38,14 12,52 20,90 52,100 88,84 88,54 56,40 14,62",
        "open loop": "70,2 40,22 20,58 22,88 50,100 76,88 76,64 58,56 44,64>40,66",
        "crossing end": "68,2 40,20 20,56 24,90 52,100 78,86 76,62 50,54 22,66 2,80>8,72",
        "narrow": "62,0 42,24 28,60 34,92 52,100 72,90 72,68 54,58 30,74",
        "long hook": "92,22 78,2 48,4 24,40 18,78 44,100 76,88 78,64 52,52 20,72",
        "curled in": "70,2 40,20 20,58 22,88 50,100 80,86 80,60 54,50 38,62 40,76 56,80",
        "straight strokes": "80,2 18,2! 18,98! 82,98! 80,48! 18,48",
    },
    "7": {
        "plain": "14,4 84,2! 44,100",
        "steep": "18,4 78,2! 58,100",
        "crossed": "14,4 84,2! 44,100; 36,52>22,54 84,48>96,45",
        "serif": "14,20 16,2! 84,2! 44,100",
        "serif, crossed": "14,20 16,2! 84,2! 46,100; 38,54>26,55 84,48>94,46",
        "curved stem": "12,4 84,2! 56,44 46,100",
        "wave bar": "10,14 30,0 56,10 86,0! 46,100",
        "curved stem, crossed": "12,4 86,3! 58,44 48,100; 36,54>24,56 82,48>96,44",
        "round corner": "6,8 60,2 86,10 68,46 44,100",
        "cross rising": "14,6 84,2! 46,100; 38,62 88,42",
        "short bar": "26,3 84,2! 48,100",
        "wave bar, crossed": "10,16 30,0 56,10 86,0! 48,100; 36,52 86,47",
        "low cross": "12,5 86,2! 50,54 40,100; 26,66 80,60",
        "upright": "16,2 82,2! 80,100",
        "small, crossed aslant": "10,6 88,4! 28,100; 34,36 74,66",
    },
    "8": {
        "one stroke": "72,16 50,2 28,16 36,38 66,58 78,82 50,100 22,82 34,58 64,38 72,16",
        "two circles": "50,0 28,8 24,30 50,46 76,30 72,8 50,0; 50,46 22,56 16,84 50,100 84,84 78,56 50,46",
        "small top": "66,14 50,0 34,14 40,34 68,54 84,80 50,100 16,80 32,54 60,34 66,14",
        "large top": "82,22 50,0 18,22 32,48 62,64 70,84 50,100 30,84 38,64 68,48 82,22",
        "open top": "68,6 48,0 26,14 34,38 66,58 80,82 50,100 20,82 34,58 66,36 82,14",
        "hourglass": "26,14 48,0 74,12 30,84 50,100 74,86 26,14",
        "from the middle": "50,46 26,32 28,8 50,0 72,8 74,32 50,46 20,62 18,90 50,100 82,90 80,62 50,46",
        "narrow": "66,14 50,0 34,14 38,36 60,60 68,84 50,100 32,84 40,60 62,36 66,14",
        "leaning": "86,14 62,2 40,18 46,40 64,60 60,88 36,100 14,84 26,62 62,42 86,14",
        "crossed tails": "88,-2 58,4 28,20 36,40 66,58 78,82 50,100 22,82 36,58 62,38 74,14 72,-6",
        "two unlike circles": "52,2 34,8 30,28 50,40 68,28 68,8 52,2; 54,38 18,54 10,84 48,100 88,84 84,54 54,38",
        "straight strokes": "16,4 82,2! 82,98! 18,98! 18,0; 18,50 82,50",
    },
    "9": {
        "straight stem": "76,20 54,0 26,10 20,34 42,52 68,42 78,14; 78,6! 75,100",
        "in one stroke": "76,14 50,0 24,14 22,40 46,52 70,36 77,8! 74,100",
        "curved tail": "78,20 54,0 24,12 22,42 48,54 74,34 79,14 78,60 62,90 28,98",
        "curled tail": "78,20 54,0 24,12 22,42 48,54 74,34 79,14 80,64 66,96 38,100 14,84",
        "slanted stem": "78,20 54,0 24,14 24,44 50,54 74,32 78,16! 46,100",
        "open loop": "67,6 44,2 20,18 24,44 50,52 74,34 80,4! 76,100",
        "small loop": "74,12 54,0 34,8 34,32 54,40 74,22! 71,100",
        "large loop": "82,22 50,0 14,16 16,52 48,66 78,46 84,16! 78,100",
        "high stem": "72,22 50,4 22,18 24,46 48,56 72,42; 77,-6 72,100",
        "bowed stem": "78,20 54,0 24,12 24,40 50,52 74,32 82,12 82,56 66,100",
        "narrow": "70,16 52,0 32,12 30,38 48,50 66,36 71,12! 69,100",
        "tightly curled tail": "78,20 54,0 24,12 22,40 48,52 74,32 79,14 82,66 64,98 32,100 20,84 34,76",
        "curved tail, open loop": "66,4 44,0 20,16 24,44 50,52 74,34 80,4 78,62 62,92 26,98",
        "straight strokes": "80,48 18,48! 18,2! 82,2! 82,100",
    },
}

# Left out of all training: thresholds are chosen on them, and tests look whether a network reads what it never saw.
_HELD_OUT: Mapping[str, tuple[str, str]] = {
    "0": ("long slash", "loop at the top"),
    "1": ("bowed upstroke", "bowed upstroke and foot"),
    "2": ("large loop", "swan"),
    "3": ("flat top and long tail", "looped waist, curled"),
    "4": ("looped corner", "stem from the middle, curved"),
    "5": ("bar high above", "round corner"),
    "6": ("long hook", "curled in"),
    "7": ("wave bar, crossed", "low cross"),
    "8": ("crossed tails", "two unlike circles"),
    "9": ("tightly curled tail", "curved tail, open loop"),
}


@dataclass(frozen=True, eq=False)
class Stroke:
    """The points of a stroke, float (N, 2), at either end of their range, and which of them are sharp turns."""

    first: NDArray[np.float64]
    last: NDArray[np.float64]
    sharp: tuple[bool, ...]


@dataclass(frozen=True, eq=False)
class Style:
    """One way to write a digit."""

    digit: str
    name: str
    held_out: bool
    strokes: tuple[Stroke, ...]


@cache
def styles(digit: str, held_out: bool) -> tuple[Style, ...]:
    """Return the styles of a digit: those that train, or the two that are held out."""
    return tuple(
        Style(digit, name, held_out, tuple(_stroke(each) for each in paths.split(";")))
        for name, paths in _PATHS[digit].items()
        if (name in _HELD_OUT[digit]) == held_out
    )


def _stroke(text: str) -> Stroke:
    points = text.split()
    ends = [point.rstrip("!").split(">") for point in points]
    first, last = ([tuple(map(float, end[number].split(","))) for end in ends] for number in (0, -1))
    return Stroke(np.array(first), np.array(last), tuple(point.endswith("!") for point in points))
