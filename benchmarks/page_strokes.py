"""Draw with the mouse on the page, as a hand does; imported by what measures the page and by what photographs it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = ["draw"]


def draw(page: Any, strokes: Iterable[Iterable[tuple[float, float]]], steps: int = 1) -> None:
    """Draw strokes on the paper of a page that Playwright has opened.

    Args:
        page: the opened page.
        strokes: points across and down, as shares of the paper's sides.
        steps: movements of the mouse from each point to the next.
    """
    area = page.locator("#paper").bounding_box()
    for stroke in strokes:
        first, *others = [
            (area["x"] + across * area["width"], area["y"] + down * area["height"]) for across, down in stroke
        ]
        page.mouse.move(*first)
        page.mouse.down()
        for point in others:
            page.mouse.move(*point, steps=steps)
        page.mouse.up()
