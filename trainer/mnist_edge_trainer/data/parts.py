"""Name the parts of a data set (training, validation, test), and draw test images where there are none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from mnist_edge_runtime.errors import InputError
from numpy.typing import NDArray

__all__ = ["TEST", "TRAIN", "VALIDATION", "Part", "Parts", "draw_test", "listed", "ordered", "part_of", "words_of"]

TRAIN, VALIDATION, TEST = "training", "validation", "test"

# The words for each part in the names of folders, files and arrays.
_WORDS: Mapping[str, str] = {
    **dict.fromkeys(("train", "training", "trn"), TRAIN),
    **dict.fromkeys(("valid", "validation", "val", "dev"), VALIDATION),
    **dict.fromkeys(("test", "testing", "tst", "t10k"), TEST),
}
_WORD = re.compile(r"t10k|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")  # "trainingSet" has two
_JOINED = re.compile(rf"(x|y)?({'|'.join(_WORDS)})(set|data|x|y|images?|labels?)?")

_PICTURES_FOR_A_TEST = 7  # images of a class for each test image, as in MNIST
_SEED = 0  # of the draw of test images


class Part(NamedTuple):
    """Images uint8 (N, 28, 28), and for each its label, numbers or text (N,)."""

    images: NDArray[np.uint8]
    labels: NDArray[Any]


@dataclass(frozen=True)
class Parts:
    """The parts of a data set as they were found.

    Attributes:
        train: the training images.
        test, validation: None where the data has none of its own.
        names: of the classes, in order, where labels are indices of them; empty where labels name themselves.
        notes: sentences for the person: what is left out, and what stands in for what.
    """

    train: Part
    test: Part | None
    validation: Part | None = None
    names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def part_of(name: str) -> str | None:
    """Return the part that the name of a folder, a file or an array stands for, or None."""
    found = {_WORDS[match[2]] for word in words_of(name) if (match := _JOINED.fullmatch(word))}
    return found.pop() if len(found) == 1 else None


def words_of(name: str) -> list[str]:
    """Return the words of a name in lower case; "trainingSet" and "training_set" have the same."""
    return [word.lower() for word in _WORD.findall(name)]


def draw_test(labels: NDArray[Any], where: str) -> NDArray[np.bool_]:
    """Draw a seventh of each class, at least one image, with a fixed seed; True for those that become test images.

    Raises:
        InputError: a class has one image only; the message begins with `where`.
    """
    random, drawn = np.random.default_rng(_SEED), np.zeros(len(labels), bool)
    values, counts = np.unique(labels, return_counts=True)
    if single := [str(value) for value in values[counts < 2]]:
        which = f"class {single[0]}: has" if len(single) == 1 else f"{len(single)} classes have"
        names = f" ({listed(ordered(single))})" if len(single) > 1 else ""
        raise InputError(
            f"{where}: {which} one picture{names}; a class needs at least three, to train, to validate and to test"
        )
    for value in values:
        members = np.flatnonzero(labels == value)
        drawn[random.permutation(members)[: max(1, len(members) // _PICTURES_FOR_A_TEST)]] = True
    return drawn


def ordered(names: list[str]) -> list[str]:
    """Return the names of classes in order: numbers by their value, "10" after "9", then text by its letters."""
    return sorted(names, key=lambda name: (not name.isdecimal(), int(name) if name.isdecimal() else 0, name))


def listed(names: list[str], most: int = 10) -> str:
    """Return names as a list for a sentence, at most so many of them."""
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown
