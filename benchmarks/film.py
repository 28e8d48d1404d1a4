"""Read short films of numbers that come into view, move, tilt, blur and change; write the figures into docs/camera.md.

    MNIST_EDGE_DATA=FOLDER python benchmarks/film.py [--films 300] [--seed 1] [--keep FILE] [--write]

A film is drawn: ink of MNIST's validation images on unevenly lit paper, 640 x 480, as JPEGs. Blank paper; a number
that slides in; the number in a shaking hand, which turns, comes nearer, goes out of focus, while the light changes;
another number in its place, which slides in, is swapped, uncovered, or rolls on like a counter.
"""

from __future__ import annotations

import argparse
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from mnist_edge_runtime import Classifier
from mnist_edge_runtime.service.frame import Frame
from mnist_edge_runtime.service.number_reading import Reading, read_number
from mnist_edge_runtime.service.stability import STABLE, Stability
from mnist_edge_trainer.data import datasets
from numpy.random import Generator
from numpy.typing import NDArray
from page_sections import write_section
from PIL import Image, ImageFilter
from synthetic_scenes import enlarged

PAGE = Path(__file__).parents[1] / "docs" / "camera.md"
WIDTH, HEIGHT = 640, 480
CHANGES = ("slide", "swap", "cover", "counter")
RULES = (1, 2, 3, 4, 5, 6)  # frames
TUNED = 7  # seed of the films on which the number of frames was chosen
TEXT = """
Written by `python benchmarks/film.py`: {films} films ({frames:,} frames of {width} x {height}, {numbers} numbers of
1 to 6 digits), drawn with seed {seed}, read with the network `{network}`. A number is found where it was told as
accepted while it was in view; wrong is an accepted reading that is none of the film's numbers; the delay counts the
frames from the first in which a number stands whole in view.

| frames that must agree | found | wrong, of accepted | delay, median | delay, 9 of 10 |
|---|---|---|---|---|
{rows}

The rule of {stable} frames was chosen on {tuned_films} films of seed {tuned}, where it gave {tuned_found} of
{tuned_numbers} numbers and {tuned_wrong} wrong readings.
"""


@dataclass(frozen=True)
class Shot:
    """A frame, and the number that stands whole in view; None while the view changes."""

    jpeg: bytes
    number: int | None


@dataclass(frozen=True)
class Outcome:
    """What a rule made of a film: delays of its numbers that were found, in frames; accepted and wrong readings."""

    numbers: int
    delays: tuple[int, ...]
    accepted: int
    wrong: tuple[str, ...]


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


def readings(classifier: Classifier, shots: Iterator[Shot]) -> list[tuple[Reading, int | None]]:
    """Return what is read in each frame, and the number that is in view."""
    return [
        (read_number(Frame(place, shot.jpeg).view(), classifier), shot.number) for place, shot in enumerate(shots, 1)
    ]


def outcome(texts: list[str], read: list[tuple[Reading, int | None]], frames: int) -> Outcome:
    """Return what the rule of so many frames makes of a film's readings."""
    stability, last = Stability(frames), ""
    begun: dict[int, int] = {}
    delays: dict[int, int] = {}
    accepted, wrong = 0, []
    for place, (reading, number) in enumerate(read):
        if number is not None:
            begun.setdefault(number, place)
        stable = stability.add(reading)
        if stable is None or not stable.reading.accepted:
            continue
        text = stable.reading.text
        if number is not None and text == texts[number]:
            delays.setdefault(number, place - begun[number] + 1)
        if text != last:
            accepted += 1
            if text not in texts:
                wrong.append(f"{text} for {texts[max(begun, default=0)]}")
        last = text
    return Outcome(len(texts), tuple(delays.values()), accepted, tuple(wrong))


def outcomes(
    classifier: Classifier, seed: int, films: int, kept: Path | None = None
) -> tuple[dict[int, list[Outcome]], int]:
    """Return what each rule makes of each film, and the number of frames; those in the file `kept` are not read."""
    split = datasets.split(datasets.load())
    found: dict[int, list[Outcome]] = {rule: [] for rule in RULES}
    frames = 0
    known = kept.read_text(encoding="utf-8").splitlines() if kept and kept.exists() else []
    before = {(line["seed"], line["film"]): line for line in map(json.loads, known)}
    for number in range(films):
        line = before.get((seed, number))
        if line is None:
            texts, shots = film(split.validation_images, split.validation_labels, seed, number)
            read = readings(classifier, shots)
            made = [asdict(outcome(texts, read, rule)) for rule in RULES]
            line = {"seed": seed, "film": number, "frames": len(read), "rules": made}
            if kept:
                with kept.open("a", encoding="utf-8") as file:
                    file.write(f"{json.dumps(line)}\n")
        frames += line["frames"]
        for rule, made in zip(RULES, line["rules"], strict=True):
            found[rule].append(Outcome(**{**made, "delays": tuple(made["delays"]), "wrong": tuple(made["wrong"])}))
    return found, frames


def row(rule: int, found: list[Outcome]) -> str:
    """Return a row of the table."""
    delays = sorted(delay for each in found for delay in each.delays)
    numbers, accepted = sum(each.numbers for each in found), sum(each.accepted for each in found)
    wrong = sum(len(each.wrong) for each in found)
    middle, late = (delays[int(share * (len(delays) - 1))] for share in (0.5, 0.9)) if delays else (0, 0)
    shown = f"**{rule}**" if rule == STABLE else rule
    return f"| {shown} | {len(delays)} of {numbers} | {wrong} of {accepted} | {middle} | {late} |"


def main() -> None:
    """Measure, print the table, and with --write put it into docs/camera.md."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--films", type=int, default=300, help="Number of films.")
    parser.add_argument("--seed", type=int, default=1, help="Random seed.")
    parser.add_argument("--tuned", type=int, default=150, help="Number of films on which the rule was chosen.")
    parser.add_argument("--network", default="base", help="Network that ships, or model file.")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="File of films that were read, to go on from.")
    parser.add_argument("--write", action="store_true", help="Write docs/camera.md.")
    options = parser.parse_args()
    with Classifier.load(options.network) as classifier:
        tuned, _ = outcomes(classifier, TUNED, options.tuned, options.keep)
        for rule, found in tuned.items():
            print(f"seed {TUNED}:", row(rule, found), [text for each in found for text in each.wrong], flush=True)
        found_by_rule, frames = outcomes(classifier, options.seed, options.films, options.keep)
    rows = [row(rule, found) for rule, found in found_by_rule.items()]
    print("\n".join(rows), [text for each in found_by_rule[STABLE] for text in each.wrong])
    if not options.write:
        return
    chosen = tuned[STABLE]
    write_section(
        PAGE,
        "Films",
        TEXT.format(
            films=options.films,
            frames=frames,
            width=WIDTH,
            height=HEIGHT,
            numbers=2 * options.films,
            seed=options.seed,
            network=options.network,
            rows="\n".join(rows),
            stable=STABLE,
            tuned_films=options.tuned,
            tuned=TUNED,
            tuned_found=sum(len(each.delays) for each in chosen),
            tuned_numbers=2 * options.tuned,
            tuned_wrong=sum(len(each.wrong) for each in chosen),
        ),
    )


if __name__ == "__main__":
    main()
