"""Draw hard pictures of handwriting of our own, and measure what is read of them: squared paper, boards, bad cameras.

    python benchmarks/hard_pictures.py

The digits are those of `mnist_edge_trainer.handwriting`, in all of its styles. A kind is one function and one row in
`KINDS`. The same seed gives the same pictures on one kind of processor: on another numpy's sines and exponentials
may end in another bit, and a pixel here and there is another one.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from hard_paper import (
    BLACK,
    PENCIL,
    Colours,
    any_digit,
    any_pen,
    any_side,
    camera,
    inked,
    lined,
    paper_of,
    pen_ink,
    placed,
)
from mnist_edge_runtime import BlankError, Classifier, to_mnist
from mnist_edge_trainer.handwriting.styles import DIGITS
from numpy.random import Generator
from numpy.typing import NDArray
from page_sections import write_section
from scipy import ndimage

__all__ = ["KINDS", "answers", "hard_picture"]

TEXT = """
`python benchmarks/hard_pictures.py`: {count} pictures of each kind, of seed {seed} (the preprocessing was
chosen by looking at seed 0), read by the network of the wheel. The digits are generated in all styles of
`mnist-edge draw`, some of which are hard in any picture. The last column is how many of the accepted answers are wrong.
On another kind of processor a few pixels are drawn otherwise, and one or two answers are others.

{table}
"""
# Card and ink on it.
CARDS = (
    ((205, 80, 70), (40, 60, 190)),
    ((90, 150, 90), (190, 60, 60)),
    ((90, 140, 200), (150, 50, 130)),
    ((230, 150, 60), (40, 110, 190)),
    ((70, 130, 90), (150, 70, 150)),
)


def _squares(digit: str, random: Generator, squared: bool = True) -> Colours:
    """Within a square, over the lines, or as large as three squares."""
    page = placed(any_digit(digit, random), random)
    height = np.ptp(np.flatnonzero(page.any(axis=1)))
    sheet = lined(paper_of(page.shape, random), height * random.choice((0.3, 0.5, 0.9, 1.3)), random, squared)
    return camera(inked(sheet, page, any_pen(random)), random)


def _ruled(digit: str, random: Generator) -> Colours:
    return _squares(digit, random, squared=False)


def _whiteboard(digit: str, random: Generator) -> Colours:
    page = placed(any_digit(digit, random, (0.06, 0.12)), random)
    board = paper_of(page.shape, random, (205, 210, 215))
    old = ndimage.gaussian_filter(random.normal(0, 1, page.shape), (max(page.shape) / 60, max(page.shape) / 12))
    board -= (12 * np.clip(old / old.std(), 0, 2))[..., np.newaxis]
    y, x = np.mgrid[: page.shape[0], : page.shape[1]]
    centre, size = random.uniform(0, page.shape), max(page.shape) * random.uniform(0.1, 0.25)
    glare = np.exp(-((y - centre[0]) ** 2 + (x - centre[1]) ** 2) / (2 * size**2))[..., np.newaxis]
    seen = inked(board, page * 0.9, any_pen(random))
    return camera(seen + (255 - seen) * glare * random.uniform(0.2, 0.6), random)


def _thick(digit: str, random: Generator) -> Colours:
    page = placed(pen_ink(digit, any_side(random), random, random.uniform(0.15, 0.25)), random, (0.1, 0.8))
    return camera(inked(paper_of(page.shape, random), page, any_pen(random)), random)


def _card(digit: str, random: Generator) -> Colours:
    """Ball-pen on coloured card; the grey contrast is small."""
    page = placed(any_digit(digit, random), random)
    ground, pen = CARDS[int(random.integers(len(CARDS)))]
    paper = paper_of(page.shape, random, ground)
    return camera(paper + page[..., np.newaxis] * 0.85 * (np.asarray(pen) - paper), random)


def _pencil(digit: str, random: Generator) -> Colours:
    page = placed(any_digit(digit, random, (0.03, 0.07)), random)
    grain = ndimage.gaussian_filter(random.normal(0, 1, page.shape), 1)
    faint = page * random.uniform(0.25, 0.6) * np.clip(1 + 0.35 * grain / grain.std(), 0, 1.5)
    return camera(inked(paper_of(page.shape, random), np.clip(faint, 0, 1), PENCIL), random)


def _broken(digit: str, random: Generator) -> Colours:
    """A pen that does not write everywhere."""
    ink = any_digit(digit, random)
    lack = ndimage.gaussian_filter(random.normal(0, 1, ink.shape), max(ink.shape) / 30)
    kept = np.clip(0.5 + (lack / lack.std() + random.uniform(0.6, 1.2)) * 4, random.choice((0.0, 0.25)), 1)
    page = placed(ink * kept, random)
    return camera(inked(paper_of(page.shape, random), page, any_pen(random)), random)


def _dotted(digit: str, random: Generator) -> Colours:
    ink = any_digit(digit, random, (0.07, 0.11))
    pitch = max(ink.shape) * random.uniform(0.05, 0.08)
    y, x = np.mgrid[: ink.shape[0], : ink.shape[1]]
    shifted = x + y // pitch * pitch / 2
    apart = np.hypot(y % pitch / pitch - 0.5, shifted % pitch / pitch - 0.5)
    dots = np.clip(2.5 * (0.34 - apart) + 0.5, 0, 1)
    page = placed(ink * dots, random)
    return camera(inked(paper_of(page.shape, random), page, any_pen(random)), random)


def _halftone(digit: str, random: Generator) -> Colours:
    """A printed grey: dots whose size is the darkness."""
    page = placed(pen_ink(digit, max(any_side(random), 120), random, random.uniform(0.08, 0.16)), random)
    grey = 0.12 + page * random.uniform(0.35, 0.6)
    pitch = max(3.0, max(page.shape) * random.uniform(0.01, 0.02))
    y, x = np.mgrid[: page.shape[0], : page.shape[1]] * np.pi / pitch
    screen = 0.5 + 0.25 * (np.cos(x + y) + np.cos(x - y))
    printed = np.clip((grey - screen) * 4 + 0.5, 0, 1)
    return camera(inked(paper_of(page.shape, random), printed, BLACK), random)


def _shaded(digit: str, random: Generator, soft: bool = False) -> Colours:
    """A shadow whose edge crosses the digit."""
    page = placed(any_digit(digit, random), random)
    y, x = np.mgrid[: page.shape[0], : page.shape[1]]
    angle, centre = random.uniform(0, 2 * np.pi), np.mean(np.argwhere(page > 0), axis=0)
    across = (x - centre[1]) * np.cos(angle) + (y - centre[0]) * np.sin(angle)
    width = max(page.shape) * random.uniform(0.05, 0.2) if soft else random.uniform(0.5, 3)
    shade = 1 - random.uniform(0.3, 0.6) / (1 + np.exp(np.clip(-across / width, -50, 50)))
    return camera(inked(paper_of(page.shape, random), page, any_pen(random)) * shade[..., np.newaxis], random)


def _soft_shadow(digit: str, random: Generator) -> Colours:
    return _shaded(digit, random, soft=True)


def _things(digit: str, random: Generator) -> Colours:
    """A finger, the table, another sheet at the border."""
    page = placed(any_digit(digit, random), random, (0.5, 1.4))
    picture = inked(paper_of(page.shape, random), page, any_pen(random))
    height, width = page.shape
    y, x = np.mgrid[:height, :width]
    for _ in range(random.integers(1, 3)):
        turned = [(y, x, height), (height - y, x, height), (x, y, width), (width - x, y, width)][random.integers(4)]
        edge = turned[2] * random.uniform(0.03, 0.12) * (1 + 0.5 * turned[1] / max(height, width))
        if random.integers(2):
            colour, out = ((120, 85, 60), (60, 60, 65), (90, 95, 80))[random.integers(3)], turned[0] < edge
        else:
            colour, at = (200, 150, 125), random.uniform(0.1, 0.9) * max(height, width)
            out = np.hypot(turned[0] / 1.5, turned[1] - at) < edge * 1.5
        out &= ndimage.maximum_filter(page, 9) == 0
        picture[out] = np.asarray(colour)
    return camera(picture, random)


def _crumpled(digit: str, random: Generator) -> Colours:
    page = placed(any_digit(digit, random), random)
    y, x = np.mgrid[: page.shape[0], : page.shape[1]]
    light = np.ones(page.shape)
    for _ in range(random.integers(4, 9)):
        angle, at = random.uniform(0, np.pi), random.uniform(0, page.shape)
        across = ((x - at[1]) * np.cos(angle) + (y - at[0]) * np.sin(angle)) / max(page.shape)
        light += random.uniform(0.03, 0.1) * np.tanh(across * 60) * np.exp(-np.abs(across) * 4)
    return camera(inked(paper_of(page.shape, random), page, any_pen(random)) * light[..., np.newaxis], random)


def _blurred(digit: str, random: Generator) -> Colours:
    """Out of focus, or the camera moved."""
    page = placed(any_digit(digit, random), random)
    seen = inked(paper_of(page.shape, random), page, any_pen(random))
    size = max(page.shape) * random.uniform(0.008, 0.022)
    if random.integers(2):
        seen = ndimage.uniform_filter1d(seen, max(1, int(3 * size)), axis=int(random.integers(2)))
        size = 0.6
    return camera(seen, random, blur=size)


def _jpeg(digit: str, random: Generator) -> Colours:
    page = placed(pen_ink(digit, int(random.integers(60, 200)), random, random.uniform(0.05, 0.11)), random)
    return camera(
        inked(paper_of(page.shape, random), page, any_pen(random)), random, quality=int(random.integers(8, 21))
    )


KINDS: Mapping[str, Callable[[str, Generator], Colours]] = {
    "squares": _squares, "ruled": _ruled, "whiteboard": _whiteboard, "thick": _thick, "card": _card, "pencil": _pencil,
    "broken": _broken, "dotted": _dotted, "halftone": _halftone, "hard shadow": _shaded, "soft shadow": _soft_shadow,
    "things": _things, "crumpled": _crumpled, "blurred": _blurred, "jpeg": _jpeg,
}  # fmt: skip


def hard_picture(kind: str, number: int, seed: int = 0) -> tuple[str, NDArray[np.uint8]]:
    """Return the digit and the picture, uint8 (H, W, 3), of this kind and number."""
    random = np.random.default_rng([seed, number, list(KINDS).index(kind)])
    digit = DIGITS[number % 10]
    return digit, KINDS[kind](digit, random).astype(np.uint8)


def answers(classifier: Classifier, kind: str, numbers: range, seed: int) -> tuple[int, int, int]:
    """Return how many pictures of a kind are read right, how many are accepted, and how many of these are wrong."""
    right = accepted = wrong = 0
    for number in numbers:
        digit, picture = hard_picture(kind, number, seed)
        try:
            prediction = classifier.classify(to_mnist(picture))
        except BlankError:
            continue
        right += prediction.label == digit
        accepted += prediction.accepted
        wrong += prediction.accepted and prediction.label != digit
    return right, accepted, wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="Exported file; by default the one that ships with the runtime.")
    parser.add_argument("--count", type=int, default=40, help="Number of pictures of each kind.")
    parser.add_argument("--seed", type=int, default=1, help="Random seed.")
    parser.add_argument("--page", type=Path, help="Markdown page that gets the table as a section.")
    options = parser.parse_args()
    rows = ["| kind | of | right | accepted | wrong of these |", "|---|---|---|---|---|"]
    total = np.zeros(3, int)
    with Classifier.load(options.model) as classifier:
        for kind in KINDS:
            found = answers(classifier, kind, range(options.count), options.seed)
            total += found
            rows.append(f"| {kind} | {options.count} | {' | '.join(map(str, found))} |")
    rows.append(f"| all | {len(KINDS) * options.count} | {' | '.join(map(str, total))} |")
    print(*rows, sep="\n")
    if options.page:
        text = TEXT.format(count=options.count, seed=options.seed, table="\n".join(rows))
        write_section(options.page, "What is read of hard pictures", text)


if __name__ == "__main__":
    main()
