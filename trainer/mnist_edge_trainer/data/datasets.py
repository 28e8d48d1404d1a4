"""Load a data set (MNIST, scikit-learn's digits or a folder of your own) and split it."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from mnist_edge_runtime.command_line import tell
from mnist_edge_runtime.errors import InputError
from numpy.typing import NDArray

from ..progress import warn
from . import cache, checks, digits, download, find_data, idx, npz, orientation
from . import parts as parts_of
from .idx import Arrays
from .parts import Part, Parts

__all__ = ["DIGITS", "SPLIT_SEED", "Dataset", "Split", "load", "split"]

# Random seed of the one split for all runs: runs with different training seeds stay comparable, and a validation
# image of one is never a training image of another.
SPLIT_SEED = 0
DIGITS = tuple("0123456789")
_MNIST_TEST = 10_000  # test images
FALLBACK_WARNING = (
    "MNIST was not available, and the 1,797 digits bundled with scikit-learn make a demonstration, "
    "not a reader for real use"
)


@dataclass(frozen=True)
class Dataset:
    """Images uint8 (N, 28, 28), white ink on black, and for each the index of its label, int64 (N,).

    `source` is where it was found; `warning` is a caution for every user of a model trained on it; `validation` has
    validation images where the data has some of its own.
    """

    name: str
    source: str
    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.int64]
    labels: tuple[str, ...]
    warning: str | None = None
    validation: Part | None = None

    @property
    def sha256(self) -> str:
        """The SHA-256 of all arrays, each in its IDX form, and of the labels' names."""
        arrays = (self.train_images, self.train_labels, self.test_images, self.test_labels, *(self.validation or ()))
        lines = [*(idx.sha256(array) for array in arrays), *self.labels]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def describe(self) -> dict[str, Any]:
        """Describe the data set for `run.json` and contracts; nothing depends on this machine."""
        return {
            "name": self.name,
            "sha256": self.sha256,
            "train": len(self.train_images),
            "test": len(self.test_images),
            "warning": self.warning,
            **({"validation": len(self.validation.labels)} if self.validation else {}),
        }

    def summary(self, split: Split) -> str:
        """Return the source and the number of images of each part as a line of text."""
        parts = {"training": split.train.labels, "validation": split.validation.labels, "test": self.test_labels}
        counts = ", ".join(f"{len(labels):,} {part}" for part, labels in parts.items())
        return f"{self.name} from {self.source}: {counts} images"


@dataclass(frozen=True)
class Split:
    """The training images, split into those that train and those that validate.

    Attributes:
        train, validation: images uint8 (N, 28, 28), and the index of each one's label, int64 (N,).
        sha256: the hash of the indices of both parts.
    """

    train: Part
    validation: Part
    sha256: str

    def describe(self) -> dict[str, Any]:
        """Describe the split for `run.json`."""
        return {
            "seed": SPLIT_SEED,
            "train": len(self.train.labels),
            "validation": len(self.validation.labels),
            "sha256": self.sha256,
        }


def load(data: str = "auto") -> Dataset:
    """Return the data set that `data` names.

    Args:
        data: "mnist" (from $MNIST_EDGE_DATA, a cache or the network), "digits" (bundled with scikit-learn),
            "auto" (mnist, or digits with a warning), or the path of data in one of the forms that `find_data` knows.

    Raises:
        InputError: it is not available, or is damaged.
    """
    if data == "digits":
        return _digits()
    if data not in ("auto", "mnist"):
        return _read_path(Path(data))
    if folder := os.environ.get("MNIST_EDGE_DATA"):
        try:
            found = _read_path(Path(folder))
        except InputError as error:
            raise InputError(f"{error} (MNIST_EDGE_DATA names it)") from None
        if found.name != "mnist":
            raise InputError(f"MNIST_EDGE_DATA={folder} holds data other than MNIST; name it with --data {folder}")
        return found
    try:
        return _mnist(*_cached_or_downloaded())
    except InputError as error:
        if data == "mnist":
            raise
        warn(f"{FALLBACK_WARNING}.\n{error}")
        return _digits(warning=FALLBACK_WARNING)


def split(dataset: Dataset) -> Split:
    """Return the stratified split: 55,000/5,000 for MNIST, 1,297/200 for digits, else a twelfth to validation.

    Data with validation images of its own is split already. Of few images, at least one of a class validates.

    Raises:
        InputError: too few images of some class.
    """
    from sklearn.model_selection import train_test_split

    count = len(dataset.train_images)
    if dataset.validation:
        own = hashlib.sha256(f"{count} {[idx.sha256(array) for array in dataset.validation]}".encode()).hexdigest()
        return Split(Part(dataset.train_images, dataset.train_labels), dataset.validation, own)
    held_out = 200 if dataset.name == "digits" else max(count // 12, len(dataset.labels))
    checks.check_split(dataset.train_labels, dataset.labels, dataset.source)
    train, validation = train_test_split(
        np.arange(count), test_size=held_out, stratify=dataset.train_labels, random_state=SPLIT_SEED
    )
    digest = hashlib.sha256(train.astype("<i8").tobytes() + b"|" + validation.astype("<i8").tobytes()).hexdigest()
    return Split(
        train=Part(dataset.train_images[train], dataset.train_labels[train]),
        validation=Part(dataset.train_images[validation], dataset.train_labels[validation]),
        sha256=digest,
    )


def _read_path(path: Path) -> Dataset:
    parts, found_at = find_data.read(path)
    source = str(found_at.resolve())
    for note in parts.notes:
        warn(f"{note}.")
    test = parts.test
    if test is None:
        drawn = parts_of.draw_test(_names(parts), source)
        images, labels = parts.train
        parts, test = replace(parts, train=Part(images[~drawn], labels[~drawn])), Part(images[drawn], labels[drawn])
    elif not parts.validation and len(test.labels) == _MNIST_TEST and test.labels.dtype.kind in "ui":
        arrays = Arrays(*parts.train, *test)
        if idx.is_mnist(arrays):
            return _mnist(arrays, source)
    found = checks.numbered(parts, test, source)
    if parts.test is None:
        tell(
            f"{source}: has no test images of its own; a seventh of each class, drawn with a fixed seed, is kept for "
            "the test"
        )
    for name, part in ((parts_of.TEST, found.test), (parts_of.VALIDATION, found.validation)):
        if part and (sentence := checks.duplicates(found.train, part, name)):
            warn(f"{sentence}.")
    own = {parts_of.TRAIN: found.train, parts_of.VALIDATION: found.validation}
    own |= {parts_of.TEST: found.test} if parts.test else {}
    objections = [orientation.objection(*part, found.names, name) for name, part in own.items() if part]
    for objection in filter(None, objections):
        warn(f"{objection}.")
    return Dataset(
        "custom",
        source,
        *found.train,
        *found.test,
        labels=found.names,
        warning=". ".join(filter(None, objections)) or None,
        validation=found.validation,
    )


def _cached_or_downloaded() -> tuple[Arrays, str]:
    for file in (cache.mnist_file(), cache.keras_file()):
        if file.exists():
            try:
                parts = npz.read(file, str(file))
                arrays = Arrays(*parts.train, *(parts.test or parts.train))
                if idx.is_mnist(arrays):
                    return arrays, str(file)
                reason = "its images are not those of MNIST"
            except InputError as error:
                reason = str(error)
            warn(f"{file} is ignored: {reason}.")
    arrays, url = download.mnist(download.mirrors())
    try:
        npz.write(cache.mnist_file(), arrays)
    except OSError as error:
        warn(f"{cache.mnist_file()} cannot be written ({error.strerror}): the next run downloads MNIST again.")
    return arrays, url


def _mnist(arrays: Arrays, source: str) -> Dataset:
    train, test = arrays.train_labels.astype(np.int64), arrays.test_labels.astype(np.int64)
    return Dataset("mnist", source, arrays.train_images, train, arrays.test_images, test, labels=DIGITS)


def _digits(warning: str | None = None) -> Dataset:
    found = digits.read()
    assert found.test is not None
    return Dataset("digits", "scikit-learn", *found.train, *found.test, labels=DIGITS, warning=warning)


def _names(parts: Parts) -> NDArray[Any]:
    """Return the label of each training image as a person knows it."""
    return np.array(parts.names)[parts.train.labels] if parts.names else parts.train.labels
