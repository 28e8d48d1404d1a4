"""Check the parts of a data set, and bring them into the form that trains: each class named, and numbered from 0."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from mnist_edge_runtime.errors import InputError
from numpy.typing import NDArray

from . import class_names
from .parts import TEST, TRAIN, VALIDATION, Part, Parts, listed, ordered

__all__ = ["Numbered", "check_split", "duplicates", "numbered"]

_CLASSES = range(2, 1001)
_BRIGHT = 128  # of 255, which ink reaches somewhere in any data set of white ink on black


class Numbered(NamedTuple):
    """The parts, with the index of each image's class, int64 (N,), for its label; and the names of the classes."""

    train: Part
    test: Part
    validation: Part | None
    names: tuple[str, ...]


def numbered(parts: Parts, test: Part, where: str) -> Numbered:
    """Check the images and the names of the classes, and number the labels from 0.

    Args:
        parts: as they were read; labels are text, numbers, or where `parts.names` has the names, indices of them.
        test: the test images, which may have been drawn.
        where: the beginning of each error.

    Raises:
        InputError: images that are dark on light or black, labels that do not go together, names that cannot be kept.
    """
    given: dict[str, Part] = {TRAIN: parts.train, TEST: test}
    given |= {VALIDATION: parts.validation} if parts.validation else {}
    if len({part.labels.dtype.kind == "U" for part in given.values()}) > 1:
        raise InputError(f"{where}: labels are numbers in one part and text in another; write them alike")
    values = np.unique(parts.train.labels)
    if values.dtype.kind == "U":
        values = np.array(ordered(values.tolist()))
    for name, part in given.items():
        if len(unseen := np.setdiff1d(part.labels, values)):
            raise InputError(f"{where}: the {name} labels {unseen[:5].tolist()} are not among the training labels")
    if len(values) not in _CLASSES:
        raise InputError(f"{where}: has {len(values)} classes, expected 2 to 1,000")
    names = parts.names or tuple(str(value) for value in values)
    class_names.check(names, where)
    _check_pixels(given, where)
    place = np.argsort(values)

    def indices(part: Part) -> Part:
        return Part(part.images, place[np.searchsorted(values, part.labels, sorter=place)].astype(np.int64))

    validation = indices(parts.validation) if parts.validation else None
    return Numbered(indices(parts.train), indices(test), validation, names)


def _check_pixels(given: Mapping[str, Part], where: str) -> None:
    for name, part in given.items():
        if (share := _dark_on_light(part.images)) > 0.5:
            raise InputError(
                f"{where}: {share:.0%} of the {name} images are dark on light, expected light ink on black; "
                "write 255 - image in place of each, or give pictures, CLASS/NAME.png, which may be either"
            )
        if (brightest := int(part.images.max())) < _BRIGHT:
            raise InputError(
                f"{where}: no pixel of the {name} images is above {brightest} of 255, expected white ink on black; "
                "multiply the pixels so that ink is near 255"
            )


def _dark_on_light(images: NDArray[np.uint8]) -> float:
    """Return the share of images, uint8 (N, 28, 28), whose border is closer to white than to black."""
    borders = np.concatenate([images[:, 0], images[:, -1], images[:, 1:-1, 0], images[:, 1:-1, -1]], axis=1)
    paper = np.median(borders, axis=1)
    return float((paper - images.min(axis=(1, 2)) > images.max(axis=(1, 2)) - paper).mean())


def duplicates(train: Part, other: Part, name: str) -> str | None:
    """Return a sentence on the images of another part that are training images too, pixel by pixel, or None."""
    known: dict[bytes, Any] = {}
    for image, label in zip(train.images, train.labels, strict=True):
        known.setdefault(_digest(image), label)
    found = [(label, known[key]) for image, label in zip(*other, strict=True) if (key := _digest(image)) in known]
    if not found:
        return None
    relabelled = sum(label != before for label, before in found)
    under = f", {relabelled:,} of them under another label" if relabelled else ""
    return (
        f"{name} images that are training images too, pixel by pixel: {len(found):,} of {len(other.labels):,}{under}; "
        "an accuracy on images that were trained on says little: remove the copies"
    )


def _digest(image: NDArray[np.uint8]) -> bytes:
    return hashlib.blake2b(image.tobytes(), digest_size=16).digest()


def check_split(labels: NDArray[np.int64], names: Sequence[str], where: str) -> None:
    """Check that each class has an image to train and one to validate.

    Raises:
        InputError: a class has fewer training images.
    """
    counts = np.bincount(labels, minlength=len(names))
    if few := [f"{name} ({count})" for name, count in zip(names, counts, strict=True) if count < 2]:
        raise InputError(
            f"{where}: cannot be split into training and validation images: a class needs at least two training "
            f"images, one of them to validate; too few are those of {listed(few)}; add some, or remove the class"
        )
