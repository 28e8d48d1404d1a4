"""The diagrams of the report."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from .labels import Box, place
from .svg import WIDTH, Scale, axes, drawing, element

__all__ = ["SERIES", "Point", "confusion_matrix", "learning_curve", "trade_off"]

SERIES = 3  # colours with their shapes
_MOST_DOTS = 25  # epochs; beyond, the line alone is clearer
_MOST_COUNTS = 14  # classes; beyond, a count no longer fits into its cell
_MOST_NAMES = 36
_LEAST_SPREAD = 0.0005  # of accuracy: a difference of one image shall not fill the diagram
_FULL_COLOUR = 0.05  # of a class taken for one other: mistakes are the news, and rare


@dataclass(frozen=True)
class Point:
    """A file in a plane of cost against accuracy; `series` is what gives it its colour and shape."""

    name: str
    series: str
    cost: float
    accuracy: float


def learning_curve(history: Mapping[str, Sequence[float]], key: str) -> Markup:
    """Draw `key` ("loss" or "accuracy") after each epoch, on training and on validation images."""
    lines = {"training": history[key], "validation": history[f"val_{key}"]}
    epochs = len(history[key])
    low, high = min(map(min, lines.values())), max(map(max, lines.values()))
    spread = high - low or abs(high) or 1.0
    bottom, top = (0.0, high + 0.05 * spread) if key == "loss" else (low - 0.08 * spread, min(high + spread * 0.08, 1))
    x, y = Scale.across(min(1, epochs - 0.5), max(epochs, 1.5)), Scale.up(bottom, top)
    ticks, figure = {"loss": ("{:g}", "{:.4f}"), "accuracy": ("{:.1%}" if spread < 0.05 else "{:.0%}", "{:.2%}")}[key]
    parts = [axes(x, y, "epoch", "{:.0f}".format, ticks.format)]
    for name, values in lines.items():
        at = [(x(number), y(value)) for number, value in enumerate(values, start=1)]
        path = " ".join(f"{across:.1f},{up:.1f}" for across, up in at)
        parts.append(element("polyline", class_=f"curve {name}", points=path))
        if epochs <= _MOST_DOTS:
            for number, ((across, up), value) in enumerate(zip(at, values, strict=True), start=1):
                title = element("title", f"{name}, epoch {number}: {figure.format(value)}")
                parts.append(element("circle", title, class_=f"dot {name}", cx=across, cy=up, r=3))
    return drawing(parts, f"{key} of training and validation images over {epochs} epochs")


def trade_off(points: Sequence[Point], reference: float, cost: str, series: Mapping[str, int]) -> Markup:
    """Draw accuracy against cost (on a logarithmic axis), with the files that no other beats in both.

    Args:
        points: the files.
        reference: the accuracy of the Keras model.
        cost: what costs, with its unit.
        series: the colour and shape of each series, below `SERIES`.
    """
    costs, accuracies = [point.cost for point in points], [*(point.accuracy for point in points), reference]
    middle = (min(accuracies) + max(accuracies)) / 2
    half = max(max(accuracies) - min(accuracies), _LEAST_SPREAD) * 0.65
    x = Scale.across(min(costs) / 1.3, max(costs) * 1.3, log=True)
    y = Scale.up(middle - half, middle + half)
    parts = [axes(x, y, cost, "{:,g}".format, "{:.2%}".format)]
    at = [(x(point.cost), y(point.accuracy)) for point in points]
    parts.append(element("line", class_="reference", x1=x.start, x2=x.end, y1=y(reference), y2=y(reference)))
    steps = _steps([(x(point.cost), y(point.accuracy)) for point in _front(points)], y.start, x.end)
    parts.append(element("polyline", class_="front", points=" ".join(f"{across:.1f},{up:.1f}" for across, up in steps)))
    # Labels may stand on the level lines, which they interrupt, but not on the first upright one.
    frame, upright = Box(x.start + 2, 2, WIDTH - 2, y.start - 2), Box(steps[0][0] - 2, 0, steps[0][0] + 2, y.start)
    texts = [*(point.name for point in points), f"Keras model {reference:.2%}"]
    *places, keras = place([*at, (x.end, y(reference))], texts, frame, [upright])
    names = [element("text", texts[-1], class_="over-lines middle", x=keras.x, y=keras.y + 3.8)]
    for point, (across, up), label in zip(points, at, places, strict=True):
        number = series[point.series]
        if label.is_far:
            parts.append(element("line", class_="leader", x1=across, y1=up, x2=label.x, y2=label.y))
        title = element("title", f"{point.series}, {point.name}: {point.cost:,.4g} {cost}, {point.accuracy:.2%}")
        parts.append(element("path", title, class_=f"point s{number}", d=_shape(number, across, up)))
        names.append(element("text", point.name, class_=f"name middle s{number}", x=label.x, y=label.y + 3.8))
    return drawing([*parts, *names], f"accuracy against {cost} of {len(points)} files")


def _steps(front: Sequence[tuple[float, float]], bottom: float, right: float) -> list[tuple[float, float]]:
    """Return the corners of the stairs that climb from one point of the front to the next."""
    corners = [(front[0][0], bottom), front[0]]
    for (_, before), (across, up) in itertools.pairwise(front):
        corners += [(across, before), (across, up)]
    return [*corners, (right, front[-1][1])]


def _front(points: Sequence[Point]) -> list[Point]:
    """Return the points that no other beats, the cheapest first."""
    front: list[Point] = []
    for point in sorted(points, key=lambda point: (point.cost, -point.accuracy)):
        if not front or point.accuracy > front[-1].accuracy:
            front.append(point)
    return front


def _shape(number: int, x: float, y: float) -> str:
    """Return the path of a circle, a diamond or a square around (x, y)."""
    return (
        f"M{x - 5:.1f},{y:.1f}a5,5 0 1,0 10,0a5,5 0 1,0 -10,0z",
        f"M{x:.1f},{y - 6.5:.1f}l6.5,6.5l-6.5,6.5l-6.5,-6.5z",
        f"M{x - 4.5:.1f},{y - 4.5:.1f}h9v9h-9z",
    )[number]


def confusion_matrix(counts: NDArray[np.int64], labels: Sequence[str]) -> Markup:
    """Draw how often each class (row) was taken for each (column), (classes, classes)."""
    classes = len(labels)
    left, top, side = 42.0, 30.0, 334.0
    size = side / classes
    totals = counts.sum(axis=1)
    parts = [
        element("text", "answer of the network", class_="title middle", x=left + side / 2, y=11),
        element("text", "true class", class_="title middle", transform=f"translate(11 {top + side / 2}) rotate(-90)"),
        element("rect", class_="cell", x=left, y=top, width=side, height=side),
    ]
    for row, column in zip(*np.nonzero(counts), strict=True):
        count, right = int(counts[row, column]), row == column
        colour = min(count / totals[row] / _FULL_COLOUR, 1.0)
        x, y = left + column * size, top + row * size
        told = f"{labels[row]} read as {labels[column]}: {count:,} of {totals[row]:,}"
        shade = {"class_": "cell right"} if right else {"class_": "cell wrong", "fill_opacity": 0.12 + 0.88 * colour}
        parts.append(element("rect", element("title", told), **shade, x=x, y=y, width=size, height=size))
        if classes <= _MOST_COUNTS:
            kind = "right" if right else "wrong deep" if colour > 0.5 else "wrong"
            parts.append(element("text", count, class_=f"count middle {kind}", x=x + size / 2, y=y + size / 2 + 4))
    if classes <= _MOST_NAMES:
        for number, label in enumerate(labels):
            at = (number + 0.5) * size
            name = label if len(label) <= 3 else f"{label[:2]}…"
            parts.append(element("text", name, class_="tick middle", x=left + at, y=top - 5))
            parts.append(element("text", name, class_="tick end", x=left - 5, y=top + at + 4))
    return drawing(parts, f"confusion matrix of {classes} classes", height=top + side + 4, width=left + side + 4)
