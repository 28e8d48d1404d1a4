"""Load a data set (MNIST, scikit-learn's digits or a folder of your own) and split it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mnist_edge_runtime.errors import InputError
from mnist_edge_runtime.preprocessing.mnist import normalize_size
from numpy.typing import NDArray
from rich.console import Console
from rich.text import Text

from . import download, idx, image_folder
from .idx import Arrays

__all__ = ["SPLIT_SEED", "Dataset", "Split", "load", "split"]

# Random seed of the one split for all runs: runs with different training seeds stay comparable, and a validation
# image of one is never a training image of another.
SPLIT_SEED = 0
FALLBACK_WARNING = (
    "MNIST was not available, so this was trained on the 1,797 digits bundled with scikit-learn: "
    "a demonstration, not a reader for real use"
)


@dataclass(frozen=True)
class Dataset:
    """Images uint8 (N, 28, 28), white ink on black, and for each the index of its label, int64 (N,).

    `source` is where it was found; `warning` is a caution for every user of a model trained on it.
    """

    name: str
    source: str
    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.int64]
    labels: tuple[str, ...]
    warning: str | None = None

    @property
    def sha256(self) -> str:
        """The SHA-256 of the four arrays, each in its IDX form, and of the labels' names."""
        arrays = (self.train_images, self.train_labels, self.test_images, self.test_labels)
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
        }

    def summary(self, split: Split) -> str:
        """Return the source and the number of images of each part as a line of text."""
        parts = {"training": split.train_labels, "validation": split.validation_labels, "test": self.test_labels}
        counts = ", ".join(f"{len(labels):,} {part}" for part, labels in parts.items())
        return f"{self.name} from {self.source}: {counts} images"


@dataclass(frozen=True)
class Split:
    """The training images, split into those that train and those that validate.

    Attributes:
        train_images, validation_images: uint8 (N, 28, 28).
        train_labels, validation_labels: int64 (N,).
        sha256: the hash of the indices of both parts.
    """

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    validation_images: NDArray[np.uint8]
    validation_labels: NDArray[np.int64]
    sha256: str


def load(data: str = "auto") -> Dataset:
    """Return the data set that `data` names.

    Args:
        data: "mnist" (from $MNIST_EDGE_DATA, a cache or the network), "digits" (bundled with scikit-learn),
            "auto" (mnist, or digits with a warning), or the path of a folder with the four IDX files, mnist.npz or
            folders of pictures, one for each class, or of an .npz file.

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
        return _dataset("mnist", *_cached_or_downloaded())
    except InputError as error:
        if data == "mnist":
            raise
        _warn(f"{FALLBACK_WARNING}.\n{error}")
        return _digits(warning=FALLBACK_WARNING)


def split(dataset: Dataset) -> Split:
    """Return the stratified split: 55,000/5,000 for MNIST, 1,297/200 for digits, else a twelfth to validation.

    Raises:
        InputError: too few images of some class.
    """
    from sklearn.model_selection import train_test_split

    count = len(dataset.train_images)
    held_out = 200 if dataset.name == "digits" else count // 12
    try:
        train, validation = train_test_split(
            np.arange(count), test_size=held_out, stratify=dataset.train_labels, random_state=SPLIT_SEED
        )
    except ValueError as error:
        raise InputError(f"{dataset.source}: cannot be split into training and validation images: {error}") from None
    digest = hashlib.sha256(train.astype("<i8").tobytes() + b"|" + validation.astype("<i8").tobytes()).hexdigest()
    return Split(
        train_images=dataset.train_images[train],
        train_labels=dataset.train_labels[train],
        validation_images=dataset.train_images[validation],
        validation_labels=dataset.train_labels[validation],
        sha256=digest,
    )


def cache_file() -> Path:
    """Return the path of the cached download of MNIST."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "mnist-edge" / "mnist.npz"


def _keras_file() -> Path:
    """Return the path of the cache of `keras.datasets.mnist.load_data`."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "datasets" / "mnist.npz"


def _read_path(path: Path) -> Dataset:
    if image_folder.is_folder(path):
        arrays, names = image_folder.read(path)
        return _dataset("custom", arrays, str(path.resolve()), names)
    arrays = idx.read(path)
    return _dataset("mnist" if idx.is_mnist(arrays) else "custom", arrays, str(path.resolve()))


def _cached_or_downloaded() -> tuple[Arrays, str]:
    for file in (cache_file(), _keras_file()):
        if file.exists():
            try:
                arrays = idx.read(file)
                if idx.is_mnist(arrays):
                    return arrays, str(file)
                reason = "its images are not those of MNIST"
            except InputError as error:
                reason = str(error)
            _warn(f"{file} is ignored: {reason}.")
    arrays, url = download.mnist(download.mirrors())
    try:
        idx.write_npz(cache_file(), arrays)
    except OSError as error:
        _warn(f"{cache_file()} cannot be written ({error.strerror}): the next run downloads MNIST again.")
    return arrays, url


def _dataset(name: str, arrays: Arrays, source: str, names: Sequence[str] = ()) -> Dataset:
    """Check the arrays and number the labels from 0; without `names` each label is named by its number."""
    labels = np.unique(arrays.train_labels)
    unseen = np.setdiff1d(arrays.test_labels, labels)
    if not 2 <= len(labels) <= 1000:
        raise InputError(f"{source}: has {len(labels)} classes, expected 2 to 1,000")
    if len(unseen):
        raise InputError(f"{source}: the test labels {unseen[:5].tolist()} are not among the training labels")
    for part, images in (("training", arrays.train_images), ("test", arrays.test_images)):
        if (share := _dark_on_light(images)) > 0.5:
            raise InputError(
                f"{source}: {share:.0%} of the {part} images are dark on light, expected light ink on black; "
                "write 255 - image in place of each, or give pictures, CLASS/NAME.png, which may be either"
            )
    return Dataset(
        name=name,
        source=source,
        train_images=arrays.train_images,
        train_labels=np.searchsorted(labels, arrays.train_labels),
        test_images=arrays.test_images,
        test_labels=np.searchsorted(labels, arrays.test_labels),
        labels=tuple(names) or tuple(str(label) for label in labels),
    )


def _dark_on_light(images: NDArray[np.uint8]) -> float:
    """Return the share of images, uint8 (N, 28, 28), whose border is closer to white than to black."""
    borders = np.concatenate([images[:, 0], images[:, -1], images[:, 1:-1, 0], images[:, 1:-1, -1]], axis=1)
    paper = np.median(borders, axis=1)
    return float((paper - images.min(axis=(1, 2)) > images.max(axis=(1, 2)) - paper).mean())


def _digits(warning: str | None = None) -> Dataset:
    """Return scikit-learn's 8 x 8 digits in MNIST's form, with 300 of them as test images."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    bundled: Mapping[str, Any] = load_digits()
    images = np.stack([normalize_size(image) for image in bundled["images"]])
    parts = train_test_split(
        images, bundled["target"].astype(np.int64), test_size=300, stratify=bundled["target"], random_state=SPLIT_SEED
    )
    train_images, test_images, train_labels, test_labels = parts
    return Dataset(
        name="digits",
        source="scikit-learn",
        train_images=train_images,
        train_labels=train_labels,
        test_images=test_images,
        test_labels=test_labels,
        labels=tuple("0123456789"),
        warning=warning,
    )


def _warn(message: str) -> None:
    Console(stderr=True).print(Text.assemble(("WARNING ", "bold yellow"), message), soft_wrap=True)
