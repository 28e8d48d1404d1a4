"""Draw short films of numbers that come into view, move, tilt, blur and change; imported by `film.py`.

Ink of MNIST's validation images on unevenly lit paper, 640 x 480, as JPEGs. Blank paper; a number that slides in; the
number in a shaking hand, which turns, comes nearer, goes out of focus, while the light changes; another number in its
place, which slides in, is swapped, uncovered, or rolls on like a counter.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from synthetic_scenes import enlarged

WIDTH, HEIGHT = 640, 480
CHANGES = ("slide", "swap", "cover", "counter")


@dataclass(frozen=True)
class Shot:
    """A frame, and the number that stands whole in view; None while the view changes."""

    jpeg: bytes
    number: int | None


def _number(
    images: NDArray[np.uint8], labels: NDArray[np.int64], text: str, height: int, random: Generator
) -> Image.Image:
    """Return a number's ink as a mask, digits at their places in a line that is not quite straight."""
    pieces = []
    for digit in text:
        choice = np.flatnonzero(labels == int(digit))
        ink = enlarged(images[random.choice(choice)], round(height * 1.4))
        columns, rows = np.flatnonzero(ink.any(axis=0)), np.flatnonzero(ink.any(axis=1))
        pieces.append(ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    gap = height * random.uniform(0.2, 0.5)
    drops = random.uniform(0, height * 0.08, len(text)).astype(int)
    width = sum(piece.shape[1] for piece in pieces) + int(gap * (len(text) - 1)) + 2
    line = np.zeros((max(piece.shape[0] + drop for piece, drop in zip(pieces, drops, strict=True)), width))
    left = 0.0
    for piece, drop in zip(pieces, drops, strict=True):
        place = line[drop : drop + piece.shape[0], int(left) : int(left) + piece.shape[1]]
        np.maximum(place, piece[:, : place.shape[1]], out=place)
        left += piece.shape[1] + gap
    return Image.fromarray((line * 255).astype(np.uint8))


class _Film:
    """The paper, the light, the camera and the hand of one film."""

    def __init__(self, random: Generator) -> None:
        self.random = random
        y, x = np.mgrid[-1 : 1 : HEIGHT * 1j, -1 : 1 : WIDTH * 1j]
        angle = random.uniform(0, 2 * np.pi)
        self.slope = (x * np.cos(angle) + y * np.sin(angle)).astype(np.float32)
        self.corner = (x * x + y * y).astype(np.float32)
        self.light, self.drift = random.uniform(165, 240), random.uniform(-1, 1)
        self.uneven, self.vignette = random.uniform(0, 40), random.uniform(0, 20)
        self.pigment = random.uniform(0.1, 0.45)
        self.noise = random.normal(0, random.uniform(1.5, 5), (HEIGHT + 64, WIDTH + 64)).astype(np.float32)
        self.quality = int(random.integers(60, 92))
        self.shake = random.uniform(0.3, 4)  # pixels a frame
        self.angle, self.zoom = random.uniform(-10, 10), 1.0
        self.x = self.y = 0.0
        self.focus, self.defocused = 0.0, 0

    def move(self) -> None:
        """Let the hand shake, the paper turn and come nearer, the light drift, the focus come and go."""
        random = self.random
        self.x = 0.9 * self.x + random.normal(0, self.shake)
        self.y = 0.9 * self.y + random.normal(0, self.shake)
        self.angle = float(np.clip(self.angle + random.normal(0, 0.3), -12, 12))
        self.zoom = float(np.clip(self.zoom * (1 + random.normal(0, 0.006)), 0.85, 1.1))
        self.light = float(np.clip(self.light + self.drift + random.normal(0, 1.5), 120, 245))
        if self.defocused == 0 and random.random() < 0.03:
            self.defocused = int(random.integers(3, 9))
        self.defocused = max(0, self.defocused - 1)
        self.focus += ((random.uniform(2, 5) if self.defocused else 0.6) - self.focus) * 0.5

    def shot(
        self, numbers: Sequence[tuple[Image.Image, float, float]], speed: float = 0, cover: float | None = None
    ) -> bytes:
        """Return the frame with the numbers, each moved from the middle; `cover` is how far a hand is over it."""
        ink = np.zeros((HEIGHT, WIDTH), np.float32)
        for mask, right, down in numbers:
            for part in (-0.5, 0, 0.5) if speed else (0,):
                placed = self._placed(mask, right + part * speed, down)
                ink += np.asarray(placed, np.float32) / (255 * (3 if speed else 1))
        blurred = Image.fromarray((np.clip(ink, 0, 1) * 255).astype(np.uint8))
        ink = np.asarray(blurred.filter(ImageFilter.GaussianBlur(self.focus)), np.float32) / 255
        paper = self.light + self.uneven * self.slope - self.vignette * self.corner
        seen = paper * (1 - ink * (1 - self.pigment))
        if cover is not None:
            seen[:, max(0, int(WIDTH * (cover - 0.8))) : max(0, int(WIDTH * cover))] = 0.45 * self.light
        top, left = self.random.integers(0, 64, 2)
        seen = np.clip(seen + self.noise[top : top + HEIGHT, left : left + WIDTH], 0, 255)
        stream = io.BytesIO()
        Image.fromarray(seen.astype(np.uint8)).save(stream, "JPEG", quality=self.quality)
        return stream.getvalue()

    def _placed(self, mask: Image.Image, right: float, down: float) -> Image.Image:
        turn = np.deg2rad(self.angle)
        cos, sin = np.cos(turn) / self.zoom, np.sin(turn) / self.zoom
        x, y = WIDTH / 2 + self.x + right, HEIGHT / 2 + self.y + down
        middle = mask.width / 2, mask.height / 2
        way = (cos, sin, middle[0] - cos * x - sin * y, -sin, cos, middle[1] + sin * x - cos * y)
        return mask.transform((WIDTH, HEIGHT), Image.Transform.AFFINE, way, Image.Resampling.BILINEAR)


def film(
    images: NDArray[np.uint8], labels: NDArray[np.int64], seed: int, number: int
) -> tuple[list[str], Iterator[Shot]]:
    """Return the two numbers of a film, and its frames as they are drawn."""
    random = np.random.default_rng((seed, number))
    change, count = CHANGES[number % len(CHANGES)], int(random.integers(1, 7))
    first = "".join(random.choice(list("0123456789"), count))
    second = str((int(first) + 1) % 10**count).zfill(count) if change == "counter" else first
    while second == first:
        second = "".join(random.choice(list("0123456789"), int(random.integers(1, 7))))
    return [first, second], _shots(images, labels, (first, second), change, random)


def _shots(
    images: NDArray[np.uint8], labels: NDArray[np.int64], texts: tuple[str, str], change: str, random: Generator
) -> Iterator[Shot]:
    camera = _Film(random)
    most = min(190, int(430 / (0.95 * max(map(len, texts)))))
    height = int(random.integers(min(55, most - 5), most))
    one, two = (_number(images, labels, text, height, random) for text in texts)

    def still(mask: Image.Image | None, number: int | None, frames: int) -> Iterator[Shot]:
        for _ in range(frames):
            camera.move()
            yield Shot(camera.shot([(mask, 0, 0)] if mask else []), number)

    def slide(out: Image.Image | None, come: Image.Image | None) -> Iterator[Shot]:
        frames, sign = int(random.integers(3, 8)), int(random.choice([-1, 1]))
        for step in range(frames):
            camera.move()
            gone = sign * WIDTH * 1.25 * (step + 1) / (frames + 1)
            moved = [(mask, x, 0.0) for mask, x in ((out, gone), (come, gone - sign * WIDTH * 1.25)) if mask]
            yield Shot(camera.shot(moved, speed=0.5 * WIDTH / frames), None)

    yield from still(None, None, int(random.integers(3, 7)))
    yield from slide(None, one)
    yield from still(one, 0, int(random.integers(10, 18)))
    if change == "slide":
        yield from slide(one, two)
    elif change == "cover":
        steps = int(random.integers(4, 9))
        for step in range(steps):
            camera.move()
            yield Shot(
                camera.shot([(one if 2 * step < steps else two, 0, 0)], cover=1.8 * (step + 1) / (steps + 1)), None
            )
    elif change == "counter":
        steps = int(random.integers(3, 8))
        for step in range(steps):
            camera.move()
            up = 1.6 * height * (step + 1) / (steps + 1)
            yield Shot(camera.shot([(one, 0, -up), (two, 0, 1.6 * height - up)]), None)
    yield from still(two, 1, int(random.integers(10, 18)))
    yield from slide(two, None)
