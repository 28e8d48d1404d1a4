"""Write digits with a pen, and lay them on paper before a camera: what all kinds of hard pictures are made of."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
from mnist_edge_trainer.handwriting.pen import draw_hand, trace
from mnist_edge_trainer.handwriting.styles import styles
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

__all__ = ["any_digit", "any_pen", "any_side", "camera", "inked", "lined", "paper_of", "pen_ink", "placed"]

Plane = NDArray[np.float64]  # (H, W): ink 0 to 1
Colours = NDArray[np.float64]  # (H, W, 3), 0 to 255
Colour = tuple[float, float, float]

BLUE, BLACK, RED, GREEN, PENCIL = (35, 50, 130), (35, 35, 40), (190, 35, 45), (25, 120, 70), (105, 105, 110)
PENS = (BLUE, BLACK, RED, GREEN)
NOISE = 3.0  # of the camera, standard deviation in grey levels
LINES = ((130, 160, 210), (150, 150, 155), (200, 150, 150), (90, 120, 180))  # of the paper


def pen_ink(digit: str, height: int, random: Generator, width: float) -> Plane:
    """Return a digit's ink, so many pixels high, in any of its styles; `width` is the stroke's, by the height."""
    choice = styles(digit, bool(random.integers(4) == 0))
    style = choice[int(random.integers(len(choice)))]
    hand = draw_hand(random)
    hand = replace(hand, slant=float(np.clip(hand.slant, -0.1, 0.25)), turn=hand.turn / 2, width=width)
    traces = trace(style, replace(hand, jitter=min(hand.jitter, 2.0)), random)
    low = np.min([(each.points - each.radius[:, np.newaxis]).min(axis=0) for each in traces], axis=0)
    high = np.max([(each.points + each.radius[:, np.newaxis]).max(axis=0) for each in traces], axis=0)
    finer = 2 if height > 100 else 4
    scale = height * finer / (high[1] - low[1])
    across, down = np.ceil((high - low) * scale).astype(int) + 2 * finer
    canvas = Image.new("L", (int(across), int(down)))
    draw = ImageDraw.Draw(canvas)
    for each in traces:
        points, radius = (each.points - low) * scale + finer, each.radius * scale
        for number, ((x, y), r) in enumerate(zip(points, radius, strict=True)):
            ink = int(255 * each.ink[number])
            draw.ellipse([x - r, y - r, x + r, y + r], fill=ink)
            if number:
                draw.line([*points[number - 1], x, y], fill=ink, width=max(1, round(2 * r)))
    return np.asarray(canvas.reduce(finer), np.float64) / 255


def placed(ink: Plane, random: Generator, room: tuple[float, float] = (0.25, 1.2)) -> Plane:
    """Lay ink on an empty page with margins of these shares of its longer side."""
    margins = (random.uniform(*room, 4) * max(ink.shape) / 2).astype(int) + 3
    return np.pad(ink, ((margins[0], margins[1]), (margins[2], margins[3])))


def paper_of(shape: tuple[int, ...], random: Generator, colour: Colour = (235, 232, 225)) -> Colours:
    """Return paper in uneven light."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    angle, depth = random.uniform(0, 2 * np.pi), random.uniform(0, 0.3)
    slope = x / shape[1] * np.cos(angle) + y / shape[0] * np.sin(angle)
    light = 1 - depth * (slope - slope.min()) / np.ptp(slope)
    return light[..., np.newaxis] * np.asarray(colour, np.float64) * random.uniform(0.75, 1.03)


def inked(paper: Colours, ink: Plane, pen: Colour) -> Colours:
    return paper * (1 - ink[..., np.newaxis] * (1 - np.asarray(pen) / 235))


def lined(paper: Colours, pitch: float, random: Generator, squared: bool) -> Colours:
    """Print the lines of ruled or squared paper, tilted and a little bent."""
    colour = LINES[int(random.integers(len(LINES)))]
    dark = random.uniform(0.3, 1.0)
    wide, tilt, offset = max(1.0, pitch * random.uniform(0.02, 0.05)), random.normal(0, 0.02), random.uniform(0, pitch)
    y, x = np.mgrid[: paper.shape[0], : paper.shape[1]]
    lines = np.zeros(paper.shape[:2])
    for along, across in ((x, y), (y, -x))[: 2 if squared else 1]:
        bent = across + along * tilt + 0.01 * pitch * np.sin(along / paper.shape[1] * 3)
        gap = np.abs((bent + offset) % pitch - pitch / 2)
        lines = np.maximum(lines, np.clip((wide + 1) / 2 - gap, 0, 1))
    return inked(paper, dark * lines, colour)


def camera(picture: Colours, random: Generator, blur: float = 0.6, quality: int = 80) -> Colours:
    """Return what a camera makes of it: blur in pixels, noise, JPEG."""
    seen = ndimage.gaussian_filter(picture, (blur, blur, 0))
    seen += random.normal(0, NOISE, seen.shape[:2])[..., np.newaxis] + random.normal(0, NOISE / 2, seen.shape)
    stream = io.BytesIO()
    Image.fromarray(np.clip(seen, 0, 255).astype(np.uint8)).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream), np.float64)


def any_pen(random: Generator) -> Colour:
    return PENS[int(random.integers(len(PENS)))]


def any_side(random: Generator) -> int:
    return int(np.exp(random.uniform(np.log(70), np.log(700))))


def any_digit(digit: str, random: Generator, width: tuple[float, float] = (0.05, 0.11)) -> Plane:
    return pen_ink(digit, any_side(random), random, random.uniform(*width))
