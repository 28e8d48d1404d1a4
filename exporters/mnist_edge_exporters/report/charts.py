"""Draw the report's diagrams of cost against accuracy."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from .labels import Box, place
from .svg import WIDTH, Scale, axes, drawing, element

__all__ = ["SERIES", "Point", "mark", "trade_off"]

_LEAST_SPREAD = 0.0005  # of accuracy: a difference of one image must not fill the diagram
# The path of each shape around a point; a circle, a diamond, a square, a triangle. page.css has a colour for each.
_SHAPES = (
    "m-5,0a5,5 0 1,0 10,0a5,5 0 1,0 -10,0z",
    "m0,-6.5l6.5,6.5l-6.5,6.5l-6.5,-6.5z",
    "m-4.5,-4.5h9v9h-9z",
    "m0,-6l6,10.5h-12z",
)
SERIES = len(_SHAPES)  # colours with their shapes


@dataclass(frozen=True)
class Point:
    """A file in the plane of cost and accuracy; its `series` has a colour and a shape."""

    name: str
    series: str
    cost: float
    accuracy: float


def trade_off(points: Sequence[Point], reference: float, cost: str, series: Mapping[str, int]) -> Markup:
    """Draw accuracy against cost (on a logarithmic axis), with the Pareto front.

    Args:
        points: the files.
        reference: the accuracy of the Keras model.
        cost: the title of the axis of costs, with its unit.
        series: the colour and shape of each series, below `SERIES`.
    """
    costs, accuracies = [point.cost for point in points], [*(point.accuracy for point in points), reference]
    middle = (min(accuracies) + max(accuracies)) / 2
    half = max(max(accuracies) - min(accuracies), _LEAST_SPREAD) * 0.65
    x = Scale.across(min(costs) / 1.3, max(costs) * 1.3)
    y = Scale.up(middle - half, middle + half)
    parts = [axes(x, y, cost, "{:,g}".format, "{:.2%}".format)]
    at = [(x(point.cost), y(point.accuracy)) for point in points]
    parts.append(element("line", class_="reference", x1=x.start, x2=x.end, y1=y(reference), y2=y(reference)))
    steps = _steps([(x(point.cost), y(point.accuracy)) for point in _front(points)], y.start, x.end)
    parts.append(element("polyline", class_="front", points=" ".join(f"{across:.1f},{up:.1f}" for across, up in steps)))
    # Labels may cover horizontal lines, which they interrupt, but not the first vertical one.
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
    """Return the corners of the step line through the points of the front."""
    corners = [(front[0][0], bottom), front[0]]
    for (_, before), (across, up) in itertools.pairwise(front):
        corners += [(across, before), (across, up)]
    return [*corners, (right, front[-1][1])]


def _front(points: Sequence[Point]) -> list[Point]:
    """Return the Pareto front, the points that no other beats in both figures, the cheapest first."""
    front: list[Point] = []
    for point in sorted(points, key=lambda point: (point.cost, -point.accuracy)):
        if not front or point.accuracy > front[-1].accuracy:
            front.append(point)
    return front


def mark(number: int) -> Markup:
    """Draw the mark of a series for a legend."""
    shape = element("path", class_=f"point s{number}", d=_shape(number, 10, 6))
    return element("svg", shape, viewBox="0 0 20 12", aria_hidden="true")


def _shape(number: int, x: float, y: float) -> str:
    """Return the path of the mark of a series around (x, y)."""
    return f"M{x:.1f},{y:.1f}{_SHAPES[number]}"
