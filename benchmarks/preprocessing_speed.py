"""Measure how long the preparation of a picture takes, by its size, beside the usual tutorial with OpenCV.

    python benchmarks/preprocessing_speed.py [--photos ../shared/photos/single]

Each picture shows a digit on paper in uneven light with a camera's noise. All contenders take turns on one thread.
OpenCV is no dependency: `pip install opencv-python-headless`, or its column is left out.
"""

from __future__ import annotations

import argparse
import time
import tracemalloc
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from mnist_edge_runtime import BlankError, InputError, load_picture, to_mnist
from mnist_edge_trainer.demo.synthetic_digits import draw
from numpy.typing import NDArray
from page_sections import write_section

try:
    import cv2
except ImportError:
    cv2 = None

Picture = NDArray[np.uint8]

SIZES = ((28, 28), (40, 40), (64, 48), (256, 192), (640, 480), (1280, 800), (2000, 1500), (4000, 3000), (5472, 3648))
STRIPS = ((30_000, 3), (3, 30_000), (20_000_000, 1), (6_000_000, 3), (3, 6_000_000), (4, 4_000_000))
SHARES = (0.9, 0.5, 0.2)  # of the height, that the digit takes
SIDE = 28
TEXT = """
`python benchmarks/preprocessing_speed.py`: milliseconds of one processor from a decoded picture, grey, to 28 x 28;
the usual tutorial (adaptive threshold, contours, resize, centre, with OpenCV) takes turns on the same arrays. Slowest
is the slowest of the pictures of a row, memory the most that is allocated at a time. Strips, grain and checkerboards
show that no picture takes much longer.

{table}
"""


def on_paper(width: int, height: int, share: float, random: np.random.Generator) -> Picture:
    """Return a digit on paper in uneven light, with noise."""
    side = max(12, int(min(width, height) * share))
    digit = draw(str(random.integers(10)), size=side, pen=0.05)
    page = np.full((height, width), 235, np.float32)
    top, left = (height - side) // 2, (width - side) // 2
    page[top : top + side, left : left + side] = digit * (235 / 245)
    page *= np.linspace(1, 0.7, width, dtype=np.float32)
    page += random.normal(0, 2, page.shape).astype(np.float32)
    return np.clip(page, 0, 255).astype(np.uint8)


def tutorial(picture: Picture) -> Picture:
    """Return what tutorials prepare: adaptive threshold, the largest contour, resized and centred."""
    mask, contours = thresholded(picture)
    if not contours:
        raise BlankError("no contour")
    return centred(mask, cv2.boundingRect(max(contours, key=cv2.contourArea)))


def thresholded(picture: Picture) -> tuple[Picture, Sequence[Any]]:
    """Return the ink by an adaptive threshold, and its outer contours."""
    blurred = cv2.GaussianBlur(picture, (5, 5), 0)
    mask = cv2.adaptiveThreshold(blurred, 255, cv2.ADAPTIVE_THRESH_GAUSSIAN_C, cv2.THRESH_BINARY_INV, 11, 10)
    return mask, cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]


def centred(mask: Picture, box: tuple[int, int, int, int]) -> Picture:
    """Return the ink in a box (left, top, width, height) as MNIST has it: 20 pixels long, its mass in the centre."""
    left, top, width, height = box
    digit = mask[top : top + height, left : left + width]
    scale = 20 / max(width, height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(digit, size, interpolation=cv2.INTER_AREA)
    image = np.zeros((SIDE, SIDE), np.uint8)
    moments = cv2.moments(small)
    x, y = (moments[axis] / max(moments["m00"], 1) for axis in ("m10", "m01"))
    first = int(np.clip(round(14 - y), 0, SIDE - size[1])), int(np.clip(round(14 - x), 0, SIDE - size[0]))
    image[first[0] : first[0] + size[1], first[1] : first[1] + size[0]] = small
    return image


def timed(prepare: Callable[[Picture], Picture], picture: Picture) -> float:
    """Return how many milliseconds of one processor the preparation takes."""
    start = time.thread_time()
    with suppress(InputError):
        prepare(picture)
    return (time.thread_time() - start) * 1e3


def peak(picture: Picture) -> float:
    """Return the most memory, in MB, that the preparation takes at a time."""
    tracemalloc.start()
    timed(to_mnist, picture)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most / 1e6


def row(name: str, pictures: list[Picture], turns: int) -> str:
    """Return a row of the table: medians, the slowest picture's median, and memory."""
    contenders = [to_mnist, tutorial] if cv2 is not None else [to_mnist]
    times = np.array(
        [[[timed(prepare, picture) for prepare in contenders] for picture in pictures] for _ in range(turns)]
    )
    middle = np.median(times, axis=0)  # of the turns: (pictures, contenders)
    usual = np.median(middle, axis=0)
    beside = f"{usual[1]:.2f}" if len(usual) > 1 else ""
    most = max(peak(picture) for picture in pictures)
    return f"| {name} | {usual[0]:.2f} | {middle[:, 0].max():.2f} | {beside} | {most:.1f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, help="Folder of photos, each FOLDER/DIGIT/NAME.")
    parser.add_argument("--turns", type=int, default=7, help="Number of times that each picture is prepared.")
    parser.add_argument("--page", type=Path, help="Markdown page that gets the table as a section.")
    options = parser.parse_args()
    if cv2 is not None:
        cv2.setNumThreads(1)
    random = np.random.default_rng(0)
    rows = ["| picture | median ms | slowest ms | tutorial ms | memory MB |", "|---|---|---|---|---|"]
    for width, height in SIZES:
        rows.append(
            row(f"{width} x {height}", [on_paper(width, height, share, random) for share in SHARES], options.turns)
        )
    for width, height in STRIPS:
        rows.append(row(f"{width} x {height}, grain", [random.integers(0, 256, (height, width), np.uint8)], 1))
    y, x = np.mgrid[:480, :640]
    for side in (1, 2, 3):
        board = (((x // side + y // side) & 1) * 255).astype(np.uint8)
        rows.append(row(f"640 x 480, checkerboard of {side}", [board, board[:240, :320]], options.turns))
    rows.append(row("640 x 480, grain", [random.integers(0, 256, (480, 640), np.uint8)], options.turns))
    found = "\n".join(rows)
    if options.photos:
        found += "\n\n" + of_photos(options.photos)
    print(found)
    if options.page:
        write_section(options.page, "The preparation of a picture", TEXT.format(table=found))


def of_photos(folder: Path) -> str:
    """Return percentiles of the times of photos."""
    photos = [load_picture(file) for file in sorted(folder.glob("[0-9]/*"))]
    times = np.median([[timed(to_mnist, photo) for photo in photos] for _ in range(3)], axis=0)
    percentiles = zip(("median", "p90", "p99", "worst"), np.percentile(times, (50, 90, 99, 100)), strict=True)
    return f"{len(photos)} photos, decoded, ms: " + ", ".join(f"{name} {value:.2f}" for name, value in percentiles)


if __name__ == "__main__":
    main()
