"""Read a folder of pictures, CLASS/NAME.png, through the preprocessing that the device runs.

letters/            or   letters/
├── a/                   ├── train/a/ ...
│   ├── 1.png            └── test/a/ ...
│   └── 2.jpg
└── b/ ...
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from mnist_edge_runtime.errors import InputError
from mnist_edge_runtime.model_file.contract import IMAGE_SHAPE
from mnist_edge_runtime.preprocessing.image_io import PICTURE_SUFFIXES, load_picture
from mnist_edge_runtime.preprocessing.mnist import to_mnist
from numpy.typing import NDArray

from ..progress import progress_bar
from .idx import Arrays

__all__ = ["is_folder", "read"]

_TEST = 7  # pictures of a class for each test picture, as in MNIST
_SEED = 0  # of the draw of test pictures


class _Pictures(NamedTuple):
    """Files, and the index of each file's class."""

    files: list[Path]
    labels: NDArray[np.int64]


def is_folder(path: Path) -> bool:
    """Return whether `path`, or `train` in it, has at least two folders with pictures."""
    return any(len(_classes(folder)) > 1 for folder in (path, path / "train"))


def read(path: Path) -> tuple[Arrays, tuple[str, ...]]:
    """Read the pictures in MNIST's form, and the names of their classes, numbers in numerical order.

    Without folders `train` and `test`, a seventh of each class, drawn with a fixed seed, becomes test images.

    Raises:
        InputError: a picture cannot be read or is blank, a class has only one, or the test pictures have other classes.
    """
    if classes := _classes(path / "train"):
        unseen = set(_classes(path / "test")) - set(classes)
        if unseen or not _classes(path / "test"):
            raise InputError(f"{path / 'test'}: expected pictures of the classes in train, got {sorted(unseen)[:5]}")
        train, test = _list(path / "train", classes), _list(path / "test", classes)
    else:
        classes = _classes(path)
        train, test = _split(_list(path, classes))
    with progress_bar("reading pictures", len(train.files) + len(test.files)) as advance:

        def pixels(files: list[Path]) -> NDArray[np.uint8]:
            read = np.empty((len(files), *IMAGE_SHAPE), np.uint8)
            for number, file in enumerate(files):
                try:
                    read[number] = to_mnist(load_picture(file))
                except InputError as error:
                    raise error.at(file) from None
                advance(1)
            return read

        arrays = Arrays(pixels(train.files), train.labels, pixels(test.files), test.labels)
    return arrays, tuple(classes)


def _classes(folder: Path) -> list[str]:
    """Return the sorted names of the folders in `folder` that have pictures."""
    if not folder.is_dir():
        return []
    names = [each.name for each in folder.iterdir() if each.is_dir() and not each.name.startswith(".") and _files(each)]
    return sorted(names, key=lambda name: (not name.isdecimal(), int(name) if name.isdecimal() else 0, name))


def _files(folder: Path) -> list[Path]:
    return sorted(each for each in folder.iterdir() if each.suffix.lower() in PICTURE_SUFFIXES and each.name[0] != ".")


def _list(folder: Path, classes: list[str]) -> _Pictures:
    found = [_files(folder / name) if (folder / name).is_dir() else [] for name in classes]
    labels = np.repeat(np.arange(len(classes)), [len(files) for files in found])
    return _Pictures([file for files in found for file in files], labels)


def _split(pictures: _Pictures) -> tuple[_Pictures, _Pictures]:
    """Split off a seventh of each class, at least one picture, as test images."""
    random, kept = np.random.default_rng(_SEED), np.zeros(len(pictures.files), bool)
    for label in np.unique(pictures.labels):
        members = np.flatnonzero(pictures.labels == label)
        if len(members) < 2:
            raise InputError(f"{pictures.files[members[0]].parent}: has one picture; a class needs at least two")
        kept[random.permutation(members)[: max(1, len(members) // _TEST)]] = True

    def those(chosen: NDArray[np.bool_]) -> _Pictures:
        return _Pictures([pictures.files[index] for index in np.flatnonzero(chosen)], pictures.labels[chosen])

    return those(~kept), those(kept)
