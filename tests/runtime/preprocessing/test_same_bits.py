"""Hold the preprocessing to the bit: the same pictures, made here of integers, give the same images everywhere."""

from __future__ import annotations

import hashlib
from itertools import pairwise

import numpy as np
import pytest
from mnist_edge_runtime.preprocessing import mnist
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

# Points of each digit's strokes, in hundredths of its height.
STROKES = {
    "0": ["50,5 20,20 10,50 20,80 50,95 70,80 75,50 70,20 50,5"],
    "1": ["25,30 50,5 50,95", "25,95 70,95"],
    "2": ["15,25 30,8 55,8 70,25 60,45 15,92 75,92"],
    "3": ["15,10 65,8 40,42 70,60 60,88 30,95 10,85"],
    "4": ["45,5 10,60 75,60", "58,35 56,95"],
    "5": ["70,8 25,8 20,42 50,40 70,60 60,88 30,95 10,85", "25,8 72,6"],
    "6": ["65,5 30,35 15,70 35,95 65,85 65,60 40,52 18,65"],
    "7": ["10,8 75,8 40,95", "25,50 65,50"],
    "8": ["45,48 20,25 45,5 68,25 45,48 15,72 45,95 75,72 45,48"],
    "9": ["70,25 45,5 20,25 40,48 70,25 68,60 45,95"],
}
# Each: digit, height and width of the page, height of the digit, its place, pen, paper, ink, change.
PICTURES = (
    ("0", 28, 28, 20, 4, 3, 0, 255, ""),
    ("1", 28, 28, 26, 1, 4, 20, 230, ""),
    ("2", 8, 8, 8, 0, 1, 255, 0, ""),
    ("3", 40, 40, 30, 5, 2, 240, 30, "noise"),
    ("4", 64, 48, 40, 6, 3, 230, 60, "slope"),
    ("5", 64, 48, 40, 6, 1, 230, 60, "noise"),
    ("6", 100, 90, 70, 12, 9, 25, 220, "noise"),
    ("7", 100, 90, 100, 0, 5, 245, 10, ""),
    ("8", 192, 256, 120, 30, 6, 235, 60, "slope noise"),
    ("9", 192, 256, 60, 90, 2, 235, 90, "slope noise"),
    ("0", 192, 256, 150, 20, 1, 235, 90, "noise"),
    ("1", 240, 320, 200, 20, 8, 200, 120, "noise"),
    ("2", 240, 320, 200, 20, 8, 235, 60, "ruled"),
    ("3", 240, 320, 200, 20, 12, 235, 60, "squared noise"),
    ("4", 480, 640, 300, 100, 14, 235, 60, "slope noise"),
    ("5", 480, 640, 60, 300, 4, 235, 60, "slope noise"),
    ("6", 480, 640, 30, 200, 3, 235, 60, "noise"),
    ("7", 480, 640, 380, 40, 20, 40, 210, "slope noise"),
    ("8", 480, 640, 380, 40, 60, 235, 60, "shadow"),
    ("9", 480, 640, 300, 100, 14, 235, 60, "shadow noise"),
    ("0", 480, 640, 300, 100, 14, 235, 60, "table"),
    ("1", 480, 640, 300, 100, 14, 235, 60, "specks noise"),
    ("2", 480, 640, 300, 100, 14, 235, 60, "colour"),
    ("3", 480, 640, 300, 100, 14, 235, 60, "alpha"),
    ("4", 641, 479, 300, 100, 14, 4000, 300, "16 bits"),
    ("5", 1500, 2000, 700, 400, 30, 235, 60, "slope noise"),
    ("6", 1500, 2000, 90, 900, 7, 235, 60, "slope"),
    ("7", 3000, 400, 300, 60, 20, 235, 60, "noise"),
    ("8", 300, 3000, 200, 60, 12, 235, 60, "faint noise"),
    ("9", 300, 300, 280, 10, 14, 235, 60, "faint"),
)
# The first 12 digits of the SHA-256 of each image: a change of one of them is another version of `mnist`.
DIGESTS = (
    "2b2c95c757b2", "67c6d5a33d3b", "fb513d274872", "ab82cd61a36a", "9a1190d6bc5b", "2f35c422f47e",
    "fea7357fdf68", "aa8de68413a4", "edec19d22a5b", "c60860b9a716", "7cf8c3cc9baf", "444b1357d020",
    "3b04972417e3", "61e08f0f4bf7", "716563cbf0cf", "f3f9f8f10ff9", "ad8ab3fa19b1", "9801e412622f",
    "73fd7c40668c", "0c4e3d83ede1", "f626f5f39437", "02b286096a19", "991b1bf2994e", "07b9283520cf",
    "9189758f7f30", "ff6d7259f1e3", "99cbbc6bdb21", "3d038e761e05", "199b1130d89c", "55d549166102",
)  # fmt: skip


def _random(shape: tuple[int, int], seed: int) -> NDArray[np.int64]:
    """Return numbers 0 to 255 by xorshift, which no version of a library changes."""
    state = np.arange(1, shape[0] * shape[1] + 1, dtype=np.uint32) * np.uint32(2654435761) + np.uint32(seed)
    for _ in range(3):
        state ^= state << np.uint32(13)
        state ^= state >> np.uint32(17)
        state ^= state << np.uint32(5)
    return (state >> np.uint32(11) & np.uint32(255)).astype(np.int64).reshape(shape)


def _ink(digit: str, shape: tuple[int, int], height: int, place: int, pen: int) -> NDArray[np.int64]:
    """Return how many of 4 x 4 points of each pixel a round pen covers, 0 to 16."""
    fine = np.zeros((4 * shape[0], 4 * shape[1]), np.int64)
    reach = np.arange(-2 * pen, 2 * pen + 1)
    disc = reach[:, np.newaxis] ** 2 + reach**2 <= 4 * pen * pen
    for stroke in STROKES[digit]:
        points = [[4 * place + 4 * height * int(v) // 100 for v in point.split(",")] for point in stroke.split()]
        for (x1, y1), (x2, y2) in pairwise(points):
            steps = max(abs(x2 - x1), abs(y2 - y1), 1)
            for step in range(0, steps + 1, max(1, pen)):
                y, x = y1 + (y2 - y1) * step // steps, x1 + (x2 - x1) * step // steps
                top, left = max(0, y - 2 * pen), max(0, x - 2 * pen)
                part = fine[top : y + 2 * pen + 1, left : x + 2 * pen + 1]
                part |= disc[top - y + 2 * pen :, left - x + 2 * pen :][: part.shape[0], : part.shape[1]]
    return fine.reshape(shape[0], 4, shape[1], 4).sum(axis=(1, 3))


def _picture(number: int) -> NDArray[np.generic]:
    digit, high, wide, height, place, pen, paper, dark, change = PICTURES[number]
    y, x = np.mgrid[:high, :wide]
    ink = _ink(digit, (high, wide), height, place, pen)
    if "faint" in change:
        ink = np.where(y > high // 2, ink * 2 // 5, ink)
    light = np.full((high, wide), paper)
    if "slope" in change:
        light -= paper * (x + y) // (3 * (high + wide))
    if "shadow" in change:
        light -= paper * np.clip((x + y - wide // 2) * 16 // wide, 0, 6) // 12
    for along, name in ((y, "ruled squared"), (x, "squared")):
        if set(change.split()) & set(name.split()):
            light -= 50 * (along % (height // 4) < 2)
    if "table" in change:
        light[: high // 10] = light[:, : wide // 12] = 70
    values = (light * (16 - ink) + dark * ink) // 16
    if "specks" in change:
        values[::97, ::89] = 30
    if "noise" in change:
        values += (_random((high, wide), number) + _random((high, wide), number + 1000)) // 32 - 8
    if change == "16 bits":
        return values.astype(np.uint16)
    grey = np.clip(values, 0, 255).astype(np.uint8)
    if change == "colour":
        return np.dstack([grey, np.maximum(grey, 90), 255 - grey // 2])
    if change == "alpha":
        return np.dstack([np.zeros((high, wide, 3), np.uint8), 255 - grey])
    return grey


@pytest.mark.parametrize("number", range(len(PICTURES)))
def test_an_image_has_the_same_bits(number: int) -> None:
    image = mnist.to_mnist(_picture(number))

    assert hashlib.sha256(image.tobytes()).hexdigest()[:12] == DIGESTS[number]
