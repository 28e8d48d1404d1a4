"""Measure what a model reads of pictures, through the whole preprocessing: photos, pages, drawings, MNIST, scenes.

    MNIST_EDGE_DATA=FOLDER python benchmarks/photos.py --photos ../shared/photos --drawings ../shared/digits/drawings

Photos lie in SINGLE/DIGIT/NAME and pages beside a list of what is written on them; none of them is part of the project.
With `--save` the answers are kept, and `--before` lists what has turned from right to wrong, and back, since then.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
from mnist_edge_runtime import BlankError, Classifier, load_picture, to_mnist
from mnist_edge_runtime.line_reader import read_lines
from mnist_edge_trainer.data import datasets
from numpy.typing import NDArray
from page_sections import write_section
from preprocessing import pictures

SCENES = 40  # pictures of each kind of scene
TEXT = """
`python benchmarks/photos.py`, the network of the wheel, from the picture to the answer: photos of single digits and
lines on pages by 25 writers, drawings with a mouse (none of these are part of the project), MNIST's validation images
as they are and through the whole preprocessing, scikit-learn's digits, and the scenes of `synthetic_scenes.py`. The
last column is how many of the accepted answers are wrong; of lines those whose every digit is accepted.

{table}
"""


@dataclass(frozen=True)
class Answer:
    """What was read of one picture or one line of a page.

    Attributes:
        expected: what is written there; empty for a line that was found where there is none.
        found: what was read; empty where nothing was.
        accepted: whether all of it was accepted.
    """

    expected: str
    found: str
    accepted: bool


Answers = dict[str, dict[str, Answer]]  # of each set, by name


def classified(classifier: Classifier, picture: NDArray[np.uint8], expected: str, preprocess: str = "auto") -> Answer:
    """Return the answer to the picture of one digit."""
    try:
        prediction = classifier.classify(to_mnist(picture, preprocess))
    except BlankError:
        return Answer(expected, "", False)
    return Answer(expected, prediction.label, prediction.accepted)


def singles(classifier: Classifier, folder: Path) -> Iterator[tuple[str, Answer]]:
    """Yield name and answer of each file FOLDER/DIGIT/NAME."""
    for file in sorted(folder.glob("[0-9]/*")):
        yield f"{file.parent.name}/{file.name}", classified(classifier, load_picture(file), file.parent.name)


def written_on(pages: Path) -> dict[str, list[str]]:
    """Return the lines that are written on each page of a folder, by the page's name, from pages.json beside it."""
    found: dict[str, list[str]] = json.loads((pages.parent / "pages.json").read_text(encoding="utf-8"))
    return found


def pages(classifier: Classifier, folder: Path) -> Iterator[tuple[str, Answer]]:
    """Yield name and answer of each line that is written on a page, and of each that was found beside them."""
    for name, written in written_on(folder).items():
        try:
            lines = read_lines(load_picture(folder / name, whole=True), classifier)
        except BlankError:
            lines = []
        texts = ["".join(digit.prediction.label for digit in line) for line in lines]
        accepted = [all(digit.prediction.accepted for digit in line) for line in lines]
        yield from aligned(name, written, texts, accepted)


def aligned(name: str, written: list[str], texts: list[str], accepted: list[bool]) -> Iterator[tuple[str, Answer]]:
    """Yield name and answer of each line of a page, what was read beside what is written."""
    number = 0
    for kind, start, end, first, last in SequenceMatcher(None, written, texts, autojunk=False).get_opcodes():
        for place in range(max(end - start, last - first)):
            at = first + place if first + place < last else None
            expected = written[start + place] if start + place < end else ""
            found = ("", False) if at is None else (texts[at], accepted[at])
            assert kind != "equal" or expected == found[0]
            yield f"{name}, {number}", Answer(expected, *found)
            number += 1


def mnist_images(classifier: Classifier, preprocess: str) -> Iterator[tuple[str, Answer]]:
    """Yield number and answer of MNIST's validation images, prepared or as they are."""
    validation = datasets.split(datasets.load("mnist")).validation
    for number, (image, label) in enumerate(zip(*validation, strict=True)):
        yield str(number), classified(classifier, image, str(label), preprocess)


def bundled_digits(classifier: Classifier) -> Iterator[tuple[str, Answer]]:
    """Yield number and answer of scikit-learn's digits, which are scaled and centred alone, as for training."""
    parts = datasets.load("digits")
    images = np.concatenate([parts.train_images, parts.test_images])
    for number, (image, label) in enumerate(zip(images, [*parts.train_labels, *parts.test_labels], strict=True)):
        yield str(number), classified(classifier, image, str(label), "none")


def scenes(classifier: Classifier) -> Iterator[tuple[str, Answer]]:
    """Yield kind, number and answer of the synthetic scenes."""
    for number, (kind, digit, picture) in enumerate(pictures(SCENES)):
        yield f"{kind}, {number}", classified(classifier, picture, digit)


def table(answers: Answers) -> str:
    """Return a row for each set: how many are right, accepted, and wrong though accepted."""
    rows = ["| set | of | right | | accepted | wrong of these |", "|---|---|---|---|---|---|"]
    for name, found in answers.items():
        written = [answer for answer in found.values() if answer.expected]
        right = sum(answer.found == answer.expected for answer in written)
        accepted = [answer for answer in found.values() if answer.accepted]
        wrong = sum(answer.found != answer.expected for answer in accepted)
        rows.append(
            f"| {name} | {len(written)} | {right} | {right / len(written):.2%} "
            f"| {len(accepted) / len(written):.1%} | {wrong} |"
        )
    return "\n".join(rows)


def changes(before: Answers, after: Answers) -> Iterator[str]:
    """Yield a line for each answer that was right and is wrong, and the reverse."""
    for name in before.keys() & after.keys():
        for key in sorted(before[name].keys() & after[name].keys()):
            old, new = before[name][key], after[name][key]
            if (old.found == old.expected) != (new.found == new.expected):
                turned = "now right" if new.found == new.expected else "NOW WRONG"
                sure = " accepted" if new.accepted else ""
                yield f"{turned}: {name}: {key}: {new.expected} was read {old.found!r}, is read {new.found!r}{sure}"


def wrong(answers: Answers) -> Iterator[str]:
    """Yield a line for each answer that is wrong."""
    for name, found in answers.items():
        for key, answer in found.items():
            if answer.found != answer.expected:
                sure = " accepted" if answer.accepted else ""
                yield f"wrong: {name}: {key}: {answer.expected!r} read as {answer.found!r}{sure}"


def load_answers(file: Path) -> Answers:
    """Return the answers that `--save` wrote."""
    document = json.loads(file.read_text())
    return {name: {key: Answer(*answer) for key, answer in found.items()} for name, found in document.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, help="Exported file; by default the one that ships with the runtime.")
    parser.add_argument("--photos", type=Path, help="Folder with single/, pages/ and pages.json.")
    parser.add_argument("--drawings", type=Path, help="Folder of drawings, DIGIT/NAME.")
    parser.add_argument("--only", help="Names of sets, separated by commas.")
    parser.add_argument("--wrong", action="store_true", help="List all wrong answers of photos, pages and drawings.")
    parser.add_argument("--save", type=Path, help="File for the answers, as JSON.")
    parser.add_argument("--before", type=Path, help="File of earlier answers to compare with.")
    parser.add_argument("--page", type=Path, help="Markdown page that gets the table as a section.")
    options = parser.parse_args()
    answers: Answers = {}
    with Classifier.load(options.model) as classifier:
        sets = {
            **({"photos": lambda: singles(classifier, options.photos / "single")} if options.photos else {}),
            **({"lines": lambda: pages(classifier, options.photos / "pages")} if options.photos else {}),
            **({"drawings": lambda: singles(classifier, options.drawings)} if options.drawings else {}),
            "mnist as it is": lambda: mnist_images(classifier, "none"),
            "mnist prepared": lambda: mnist_images(classifier, "mnist"),
            "scikit-learn": lambda: bundled_digits(classifier),
            "scenes": lambda: scenes(classifier),
        }
        for name, read in sets.items():
            if not options.only or name in options.only.split(","):
                answers[name] = dict(read())
    print(table(answers))
    if options.page:
        write_section(options.page, "What is read of pictures", TEXT.format(table=table(answers)))
    shown = {name: answers[name] for name in ("photos", "lines", "drawings") if name in answers and options.wrong}
    print(*wrong(shown), sep="\n", end="\n" if shown else "")
    if options.before:
        print(*changes(load_answers(options.before), answers), sep="\n")
    if options.save:
        plain = {
            name: {key: (answer.expected, answer.found, answer.accepted) for key, answer in found.items()}
            for name, found in answers.items()
        }
        options.save.write_text(json.dumps(plain))


if __name__ == "__main__":
    main()
