"""Move a pen along the paths of a style, as one hand does it: slant, speed, jitter, pressure, stroke width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .styles import Stroke, Style

__all__ = ["Hand", "Trace", "draw_hand", "trace"]

_STEP = 2.0  # hundredths of the digit's height between two points of a trace
_SAMPLES = 24  # of a curve between two of its points, before they are spaced evenly
_ROUNDEST = 11.0  # hundredths: over this length the fastest hand averages its way
_WIDEST = 0.18  # stroke, as a share of the digit's width: more fills its bays
_TREMOR, _PRESSURE = 6, 12  # points between two knots of the noise
_OVERSHOT = 5.0  # hundredths, standard deviation of the fastest hand's overshoot at the end of a stroke


@dataclass(frozen=True)
class Hand:
    """How a digit is written.

    Attributes:
        slant: shift to the right for each unit of height; positive leans to the right.
        turn: radians clockwise.
        aspect: width, as a share of the style's own.
        bend: amplitude of a slow wave on the whole digit, in hundredths of its height.
        jitter: standard deviation of each point, in hundredths.
        tremor: standard deviation of the fast waves of a slow hand, in hundredths.
        speed: 0 (slow, sharp corners) to 1 (fast, rounded corners, stroke ends overshot).
        width: of the stroke, as a share of the digit's height.
        pressure: 0 (even strokes) to 1 (width and darkness vary much).
        nib: angle in radians of a broad nib, or None for a round tip.
    """

    slant: float
    turn: float
    aspect: float
    bend: float
    jitter: float
    tremor: float
    speed: float
    width: float
    pressure: float
    nib: float | None

    def calmer(self) -> Hand:
        """Return the same hand with a thinner pen and half of its deviations."""
        halved = {name: getattr(self, name) / 2 for name in ("bend", "jitter", "tremor", "speed", "pressure")}
        return replace(self, width=max(0.05, self.width * 0.8), **halved)


@dataclass(frozen=True)
class Trace:
    """The way of the pen in one stroke: points, float (N, 2); at each the radius of the tip, and the ink, 0 to 1."""

    points: NDArray[np.float64]
    radius: NDArray[np.float64]
    ink: NDArray[np.float64]


def draw_hand(random: np.random.Generator) -> Hand:
    """Draw a hand at random."""
    aspect = float(np.clip(np.exp(random.normal(-0.08, 0.16)), 0.65, 1.3))
    width = float(np.clip(np.exp(random.normal(np.log(0.105), 0.34)), 0.04, 0.21))
    return Hand(
        slant=float(np.clip(random.normal(0.08, 0.16), -0.3, 0.45)),
        turn=float(np.clip(random.normal(0, 0.06), -0.14, 0.14)),
        aspect=aspect,
        bend=float(abs(random.normal(0, 2))),
        jitter=float(random.uniform(0.5, 3.8)),
        tremor=float(max(0.0, random.normal(-0.2, 0.5))),
        speed=float(random.beta(1.3, 2.0)),
        width=min(width, _WIDEST * aspect),
        pressure=float(random.beta(1.2, 2.5)),
        nib=float(random.uniform(0.4, 1.2)) if random.random() < 0.15 else None,
    )


def trace(style: Style, hand: Hand, random: np.random.Generator) -> list[Trace]:
    """Trace each stroke of a style by a hand; in units of the digit's height, about its centre."""
    share, phases = random.random(), random.uniform(0, 2 * np.pi, 2)
    return [_pressed(_moved(_way(stroke, share, hand, random), hand, phases), hand, random) for stroke in style.strokes]


def _way(stroke: Stroke, share: float, hand: Hand, random: np.random.Generator) -> NDArray[np.float64]:
    """Return the way along a stroke, evenly spaced, in hundredths."""
    points = stroke.first + share * (stroke.last - stroke.first)
    points = points + random.normal(0, hand.jitter, points.shape)
    way = _spaced(_curve(points, stroke.sharp))
    reach = round(hand.speed * _ROUNDEST / _STEP / 2)
    if reach:
        way = _averaged(way, reach)
    if len(way) > 2:
        end = (way[-1] - way[-3]) / max(float(np.linalg.norm(way[-1] - way[-3])), 1e-9)
        way = np.vstack([way, way[-1] + end * abs(random.normal(0, _OVERSHOT * hand.speed))])
    return way + _waves(len(way), hand.tremor, _TREMOR, random)


def _curve(points: NDArray[np.float64], sharp: Sequence[bool]) -> NDArray[np.float64]:
    """Return the curve through the points, Catmull-Rom splines between the sharp turns."""
    cuts = [0, *(number for number in range(1, len(points) - 1) if sharp[number]), len(points) - 1]
    parts = [_spline(points[start : end + 1]) for start, end in pairwise(cuts)]
    return np.vstack([parts[0], *(part[1:] for part in parts[1:])])


def _spline(points: NDArray[np.float64]) -> NDArray[np.float64]:
    if len(points) == 2:
        return points
    closed = bool(np.linalg.norm(points[0] - points[-1]) < 12)  # the pen comes back to where it began
    before, after = (points[-2], points[1]) if closed else (2 * points[0] - points[1], 2 * points[-1] - points[-2])
    padded = np.vstack([before, points, after])
    a, b, c, d = padded[:-3, None], padded[1:-2, None], padded[2:-1, None], padded[3:, None]
    at = np.linspace(0, 1, _SAMPLES, endpoint=False)[:, np.newaxis]
    curve = b + at * ((c - a) / 2 + at * (a - 2.5 * b + 2 * c - d / 2 + at * (1.5 * (b - c) + (d - a) / 2)))
    return np.vstack([curve.reshape(-1, 2), points[-1]])


def _spaced(curve: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return points on the curve at even distances of about `_STEP`, both ends included."""
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(curve, axis=0), axis=1))])
    at = np.linspace(0, length[-1], max(3, round(length[-1] / _STEP) + 1))
    return np.stack([np.interp(at, length, curve[:, axis]) for axis in (0, 1)], axis=1)


def _averaged(way: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    """Return the moving average over `reach` points in either direction; both ends stay where they are."""
    sums = np.vstack([np.zeros(2), np.cumsum(way, axis=0)])
    number = np.arange(len(way))
    around = np.minimum(reach, np.minimum(number, len(way) - 1 - number))[:, np.newaxis]
    return (sums[(number + around[:, 0]) + 1] - sums[number - around[:, 0]]) / (2 * around + 1)


def _waves(count: int, amplitude: float, length: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Return smooth noise, float (count, 2), of this standard deviation, with a knot every `length` points."""
    knots = random.normal(0, amplitude, (count // length + 2, 2))
    at = np.arange(count) / length
    return np.stack([np.interp(at, np.arange(len(knots)), knots[:, axis]) for axis in (0, 1)], axis=1)


def _moved(way: NDArray[np.float64], hand: Hand, phases: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the way bent, narrowed, slanted and turned, in units of the digit's height about its centre."""
    bent = way + hand.bend * np.sin(way[:, ::-1] * (np.pi / 60) + phases)
    x, y = (bent[:, 0] - 50) / 100 * hand.aspect, (bent[:, 1] - 50) / 100
    x = x - hand.slant * y
    cosine, sine = np.cos(hand.turn), np.sin(hand.turn)
    return np.stack([x * cosine - y * sine, x * sine + y * cosine], axis=1)


def _pressed(points: NDArray[np.float64], hand: Hand, random: np.random.Generator) -> Trace:
    """Return the trace with the radius of the tip and the ink at each point."""
    waves = _waves(len(points), 1.0, _PRESSURE, random)
    number = np.arange(len(points))
    lift = np.clip((1 + np.minimum(number, number[::-1])) / 8, 0, 1)  # the pen comes down, and leaves
    press = np.exp(hand.pressure * 0.2 * waves[:, 0]) * (1 - hand.pressure * 0.5 * (1 - lift))
    if hand.nib is not None:
        step = np.gradient(points, axis=0)
        press = press * (0.45 + 0.75 * np.abs(np.sin(np.arctan2(step[:, 1], step[:, 0]) + hand.nib)))
    ink = np.clip(1 - hand.pressure * (0.15 + 0.3 * waves[:, 1] + 0.3 * (1 - lift)), 0.45, 1)
    return Trace(points, hand.width / 2 * np.clip(press, 0.45, 1.5), ink)
