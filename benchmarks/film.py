"""Read short films of numbers that come into view, move, tilt, blur and change; write the figures into docs/camera.md.

    MNIST_EDGE_DATA=FOLDER python benchmarks/film.py [--films 300] [--seed 1] [--keep FILE] [--write]

`film_drawing.py` draws the films.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from film_drawing import HEIGHT, WIDTH, Shot, film
from mnist_edge_runtime import Classifier
from mnist_edge_runtime.service.frame import Frame
from mnist_edge_runtime.service.number_reading import Reading, read_number
from mnist_edge_runtime.service.stability import STABLE, Stability
from mnist_edge_trainer.data import datasets
from page_sections import write_section

PAGE = Path(__file__).parents[1] / "docs" / "camera.md"
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
class Outcome:
    """What a rule made of a film: delays of its numbers that were found, in frames; accepted and wrong readings."""

    numbers: int
    delays: tuple[int, ...]
    accepted: int
    wrong: tuple[str, ...]


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
            texts, shots = film(*split.validation, seed, number)
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
