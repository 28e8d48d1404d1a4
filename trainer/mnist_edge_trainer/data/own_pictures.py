"""Read a person's own pictures, hold some of each class out, and join them with a data set.

Each picture keeps its role: one that a training has seen is never held out in a later one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from mnist_edge_runtime.class_names import DISCARDED, LEAST_OF_NEW, UNSURE, nearly
from mnist_edge_runtime.errors import InputError
from numpy.typing import NDArray

from ..progress import warn
from . import class_names, datasets, image_folder
from .datasets import Dataset
from .parts import Part, listed, ordered

__all__ = ["ADVISED", "JoinedDataset", "OwnPictures", "join", "load", "read"]

ADVISED = 10  # pictures of a class
_HELD_OUT = 5  # pictures of a class for each that is held out


@dataclass(frozen=True, eq=False)
class OwnPictures:
    """Pictures as the network sees them.

    Attributes:
        images: uint8 (N, 28, 28), no two the same.
        labels: the name of each one's class, (N,).
        held_out: which are measured on and never trained on, bool (N,).
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.str_]
    held_out: NDArray[np.bool_]

    @property
    def classes(self) -> list[str]:
        return ordered(np.unique(self.labels).tolist())

    def part(self, labels: Sequence[str], *, held_out: bool) -> Part:
        """Return the pictures that train or those held out, with the indices of these labels."""
        chosen = self.held_out == held_out
        numbers = [labels.index(str(name)) for name in self.labels[chosen]]
        return Part(self.images[chosen], np.array(numbers, np.int64))

    def describe(self) -> dict[str, Any]:
        """Describe the pictures for `run.json` and contracts; nothing depends on this machine."""
        roles = "".join(f"{name}\n{int(held)}\n" for name, held in zip(self.labels, self.held_out, strict=True))
        return {
            "train": int((~self.held_out).sum()),
            "held_out": int(self.held_out.sum()),
            "per_class": {name: int((self.labels == name).sum()) for name in self.classes},
            "sha256": hashlib.sha256(self.images.tobytes() + roles.encode()).hexdigest(),
        }

    def save(self, file: Path) -> None:
        """Write them into an .npz file."""
        np.savez_compressed(file, images=self.images, labels=self.labels, held_out=self.held_out)


@dataclass(frozen=True)
class JoinedDataset(Dataset):
    """A data set and own pictures; `joined` describes both."""

    joined: Mapping[str, Any] = field(default_factory=dict)

    def describe(self) -> dict[str, Any]:
        """Describe it as any data set, and both parts of it."""
        return {**super().describe(), **self.joined}


def load(file: Path) -> OwnPictures:
    """Read what `save` wrote.

    Raises:
        InputError: it is missing or damaged.
    """
    try:
        with np.load(file, allow_pickle=False) as archive:
            return OwnPictures(archive["images"], archive["labels"], archive["held_out"])
    except Exception as error:  # zipfile, zlib and numpy each have errors of their own
        why = "is missing" if not file.exists() else f"is damaged ({error})"
        raise InputError(f"{file}: {why}; the run needs its own pictures: train it again") from None


def read(folder: Path, known: Sequence[str], earlier: OwnPictures | None = None) -> OwnPictures:
    """Read FOLDER/CLASS/NAME.png, and hold out a fifth of each class, drawn with a fixed seed.

    Args:
        folder: of the class folders; what lies in `UNSURE` and `DISCARDED` is left out.
        known: the classes of the network.
        earlier: the pictures that it was fine-tuned on before; they are kept with their roles, under the label that
            they have in the folder where they are there again.

    Raises:
        InputError: there is no such folder, a class or a picture in it cannot be used, or too few pictures of a class
            that the network does not know.
    """
    _check_folder(folder, known)
    parts = image_folder.read_classes(folder, leave_out=_no_classes(known))
    for note in parts.notes:
        warn(f"{note}.")
    unsure = folder / UNSURE
    if UNSURE not in known and unsure.is_dir() and any(not path.name.startswith(".") for path in unsure.iterdir()):
        warn(f"{folder}: left out {UNSURE}, which nobody has labelled yet (mnist-edge label {folder}).")
    labels = np.array(parts.names)[parts.train.labels]
    _check_names(folder, parts.names, known)
    images, labels = _distinct(folder, parts.train.images, labels)
    held_out, settled = np.zeros(len(labels), bool), np.zeros(len(labels), bool)
    if earlier is not None:
        roles = {image.tobytes(): bool(held) for image, held in zip(earlier.images, earlier.held_out, strict=True)}
        found = [roles.pop(image.tobytes(), None) for image in images]
        rest = np.array([image.tobytes() in roles for image in earlier.images], bool)
        images = np.concatenate([images, earlier.images[rest]])
        labels = np.concatenate([labels, earlier.labels[rest]])
        settled = np.array([*(role is not None for role in found), *(True for _ in range(rest.sum()))], bool)
        held_out = np.array([*(bool(role) for role in found), *earlier.held_out[rest]], bool)
    for name in np.unique(labels):
        members = np.flatnonzero(labels == name)
        if name not in known and len(members) < LEAST_OF_NEW:
            raise InputError(
                f"{folder / str(name)}: has {_counted(len(members))} of a class that the network does not know; it "
                f"needs at least {LEAST_OF_NEW}, and {2 * ADVISED} are advised"
            )
        wanted = max(1, len(members) // _HELD_OUT) - int(held_out[members].sum())
        free = np.random.default_rng(datasets.SPLIT_SEED).permutation(members[~settled[members]])
        if len(members) > 1 and wanted > 0:
            held_out[free[:wanted]] = True
    own = OwnPictures(images, labels, held_out)
    _advise(folder, own)
    return own


def join(dataset: Dataset, own: OwnPictures) -> JoinedDataset:
    """Return the data set with the pictures: those held out are test images, and new classes follow its own."""
    split = datasets.split(dataset)
    labels = (*dataset.labels, *(name for name in own.classes if name not in dataset.labels))
    train, test = own.part(labels, held_out=False), own.part(labels, held_out=True)
    return JoinedDataset(
        name=f"{dataset.name} and own pictures",
        source=dataset.source,
        train_images=np.concatenate([split.train.images, train.images]),
        train_labels=np.concatenate([split.train.labels, train.labels]),
        test_images=np.concatenate([dataset.test_images, test.images]),
        test_labels=np.concatenate([dataset.test_labels, test.labels]),
        labels=labels,
        warning=dataset.warning,
        validation=split.validation,
        joined={"base": {"name": dataset.name, "sha256": dataset.sha256}, "own": own.describe()},
    )


def _no_classes(known: Sequence[str]) -> list[str]:
    return [name for name in (UNSURE, DISCARDED) if name not in known]


def _check_folder(folder: Path, known: Sequence[str]) -> None:
    if not folder.is_dir():
        what = "is no folder" if folder.exists() else "no such folder"
        raise InputError(f"{folder}: {what}; --also takes a folder of your own pictures, DIR/CLASS/NAME.png")
    names = [name for name in image_folder.class_folders(folder) if name not in _no_classes(known)]
    if names:
        return
    if (folder / UNSURE).is_dir():
        raise InputError(f"{folder}: has pictures in {UNSURE} alone; sort them with: mnist-edge label {folder}")
    there = listed([each.name for each in image_folder.visible(folder)], 3) or "nothing"
    raise InputError(
        f"{folder}: expected pictures in a folder for each class, such as {folder / known[-1] / 'photo.png'}, "
        f"got {there}"
    )


def _check_names(folder: Path, names: Sequence[str], known: Sequence[str]) -> None:
    """Refuse names that cannot be kept, and a new one that looks like a slip for another."""
    class_names.check([*known, *(name for name in names if name not in known)], str(folder))
    seen = [*known]
    for name in (name for name in names if name not in known):
        if other := nearly(name, seen):
            where = "the network's" if other in known else "the folder"
            raise InputError(
                f"{folder / name}: is nearly the same name as {where} {other!r}; put its pictures into "
                f"{folder / other}, or rename it if another class is meant"
            )
        seen.append(name)


def _distinct(
    folder: Path, images: NDArray[np.uint8], labels: NDArray[np.str_]
) -> tuple[NDArray[np.uint8], NDArray[np.str_]]:
    """Return each picture once.

    Raises:
        InputError: the same picture lies in two classes.
    """
    places: dict[bytes, int] = {}
    copies = 0
    for place, image in enumerate(images):
        first = places.setdefault(image.tobytes(), place)
        if labels[first] != labels[place]:
            raise InputError(
                f"{folder}: the same picture lies in {labels[first]} and in {labels[place]}; remove it from one of them"
            )
        copies += first != place
    if copies:
        warn(f"{folder}: {_counted(copies)} left out that the network sees exactly as another one.")
    kept = np.array(sorted(places.values()))
    return images[kept], labels[kept]


def _advise(folder: Path, own: OwnPictures) -> None:
    counts: Mapping[str, int] = own.describe()["per_class"]
    if few := [f"{name} ({count})" for name, count in counts.items() if count < ADVISED]:
        warn(f"{folder}: few pictures of {listed(few)}; {ADVISED} of each class are advised.")
    if len(counts) == 1:
        warn(f"{folder}: has pictures of one class alone; with others beside it, the network learns them apart.")


def _counted(count: int) -> str:
    return f"{count} picture{'s' * (count != 1)}"
