"""Build SVG diagrams of elements, scales and axes; the page's style sheet colours them by class."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup, escape
from matplotlib.ticker import MaxNLocator

__all__ = ["HEIGHT", "WIDTH", "Scale", "axes", "drawing", "element"]

WIDTH, HEIGHT = 380, 250  # units: small enough to be read on a phone, where one is a little less than a pixel
_LEFT, _RIGHT, _TOP, _BOTTOM = 50, 14, 12, 44
_TICKS = 5
_LEAST_TICKS = 3  # fewer of 1, 2, 5 leave a short logarithmic axis without a measure


def element(tag: str, content: object = "", **attributes: object) -> Markup:
    """Return an element with escaped content; `class_` and `stroke_width` stand for `class` and `stroke-width`."""
    text = Markup("").join(
        Markup(' {}="{}"').format(name.rstrip("_").replace("_", "-"), _short(value))
        for name, value in attributes.items()
    )
    return Markup("<{0}{1}>{2}</{0}>").format(tag, text, escape(content))


def drawing(parts: Iterable[Markup], label: str) -> Markup:
    """Return the whole diagram; `label` describes it for screen readers."""
    return element("svg", Markup("\n").join(parts), viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", aria_label=label)


@dataclass(frozen=True)
class Scale:
    """A map of values from `low` to `high` to coordinates from `start` to `end`, logarithmic if `log`."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    @classmethod
    def across(cls, low: float, high: float) -> Scale:
        """Return the logarithmic scale of the horizontal axis."""
        return cls(low, high, _LEFT, WIDTH - _RIGHT, log=True)

    @classmethod
    def up(cls, low: float, high: float) -> Scale:
        """Return the linear scale of the vertical axis."""
        return cls(low, high, HEIGHT - _BOTTOM, _TOP)

    def __call__(self, value: float) -> float:
        low, high, value = (math.log(v) if self.log else v for v in (self.low, self.high, value))
        return self.start + (value - low) / (high - low) * (self.end - self.start)

    def ticks(self) -> list[float]:
        """Return round values within the scale."""
        if self.log:
            decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            found = [digit * 10.0**decade for decade in decades for digit in (1, 2, 5)]
        if not self.log or sum(self.low <= value <= self.high for value in found) < _LEAST_TICKS:
            found = list(MaxNLocator(_TICKS, steps=[1, 2, 5, 10]).tick_values(self.low, self.high))
        return [value for value in found if self.low <= value <= self.high]


def axes(x: Scale, y: Scale, x_title: str, x_text: Callable[[float], str], y_text: Callable[[float], str]) -> Markup:
    """Return the grid with its figures and the title of the horizontal axis."""
    parts = []
    for value in y.ticks():
        at = y(value)
        parts.append(element("line", class_="grid", x1=x.start, x2=x.end, y1=at, y2=at))
        parts.append(element("text", y_text(value), class_="tick end", x=x.start - 7, y=at + 3.5))
    for value in x.ticks():
        at = x(value)
        parts.append(element("line", class_="mark", x1=at, x2=at, y1=y.start, y2=y.start + 4))
        parts.append(element("text", x_text(value), class_="tick middle", x=at, y=y.start + 16))
    parts.append(element("line", class_="axis", x1=x.start, x2=x.end, y1=y.start, y2=y.start))
    parts.append(element("text", x_title, class_="title middle", x=(x.start + x.end) / 2, y=y.start + 36))
    return Markup("\n").join(parts)


def _short(value: object) -> object:
    """Return a coordinate with two decimals."""
    return np.format_float_positional(value, precision=2, trim="-") if isinstance(value, float) else value
