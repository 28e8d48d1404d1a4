"""Draw the traces of a pen as a grey picture: ink of some texture on paper."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from .pen import Trace

__all__ = ["SIDE", "count_holes", "draw_ink", "on_paper"]

SIDE = 64  # pixels of a picture
_FINER = 4  # times: the picture is drawn so much larger, and reduced
_MARGIN = 5  # pixels, at least, around the digit
_HOLE = 12  # pixels; less is no hole that a reader sees


def draw_ink(traces: Sequence[Trace], extent: float) -> NDArray[np.float32]:
    """Draw the strokes into the middle of a picture, float32 (SIDE, SIDE), 0 (no ink) to 1.

    Args:
        traces: the strokes.
        extent: of the digit's longer side, as a share of the place that there is.
    """
    side = SIDE * _FINER
    low = np.min([(each.points - each.radius[:, np.newaxis]).min(axis=0) for each in traces], axis=0)
    high = np.max([(each.points + each.radius[:, np.newaxis]).max(axis=0) for each in traces], axis=0)
    scale = extent * (side - 2 * _MARGIN * _FINER) / max(high - low)
    canvas = Image.new("L", (side, side))
    pen = ImageDraw.Draw(canvas)
    for each in traces:
        points = (each.points - (low + high) / 2) * scale + side / 2
        radius, ink = each.radius * scale, np.rint(255 * each.ink).astype(int).tolist()
        corners = np.hstack([points - radius[:, np.newaxis], points + radius[:, np.newaxis]]).tolist()
        ends, widths = points.tolist(), np.rint(2 * radius).astype(int).tolist()
        for number, corner in enumerate(corners):
            pen.ellipse(corner, fill=ink[number])
            if number:
                pen.line([*ends[number - 1], *ends[number]], fill=ink[number], width=widths[number])
    return np.asarray(canvas.reduce(_FINER), np.float32) / np.float32(255)


def count_holes(ink: NDArray[np.float32], smallest: int = _HOLE) -> int:
    """Count the areas of paper, of at least `smallest` pixels, that ink encloses, float32 (H, W), 0 (no ink) to 1."""
    from scipy.ndimage import label

    areas, _ = label(ink < 0.4)
    return int((np.bincount(areas.ravel())[1:] >= smallest).sum()) - 1


def on_paper(ink: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.uint8]:
    """Return the picture, uint8 (SIDE, SIDE), dark on light: grain of the ink, blur, grey levels, noise."""
    if random.random() < 0.3:  # a pencil, or a pen that runs dry
        grain = random.uniform(0.1, 0.5) * random.random(ink.shape, np.float32)
        ink = ink * (1 - grain).astype(np.float32)
    paper, dark = random.uniform(180, 255), random.uniform(5, 110)
    grey = Image.fromarray(np.rint(paper - (paper - dark) * ink).astype(np.uint8))
    blurred = np.asarray(grey.filter(ImageFilter.GaussianBlur(random.uniform(0, 0.9))), np.float32)
    noise = random.standard_normal(ink.shape, np.float32) * np.float32(random.uniform(0, 4))
    return np.rint(np.clip(blurred + noise, 0, 255)).astype(np.uint8)
