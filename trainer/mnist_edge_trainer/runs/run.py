"""Save a run's folder atomically, and load it again.

A folder of runs has::

    runs/
    ├── latest               the name of the newest run
    ├── latest-export        the path of the newest int8 export of a model of one's own (exports.py)
    ├── .answers/            soft targets of published networks as teachers (training/distillation.py)
    ├── studies/             studies of `mnist-edge tune` (tuning/study.py)
    └── classic/
        ├── model.keras      the network, softmax included
        ├── run.json         options, data, versions, metrics
        ├── own-pictures.npz  the pictures of one's own that `train --also` added
        ├── history.csv      loss and accuracy of each epoch
        ├── *.png            learning curves, sample predictions, confusion matrix
        ├── evaluation*      metrics and plots of `mnist-edge evaluate`
        ├── answers-*.npy    its soft targets as a teacher (training/distillation.py)
        └── exports/         files of `mnist-edge export`
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from mnist_edge_runtime.confidence_interval import few_images_warning, format_accuracy
from mnist_edge_runtime.errors import InputError, UsageError
from mnist_edge_runtime.files import atomic_path, temporary_path
from numpy.typing import NDArray

from ..data import own_pictures
from ..data.datasets import Dataset
from ..data.own_pictures import OwnPictures
from ..handwriting import pool
from . import recorded_data, replacement
from .unchanged import sha256_of, unchanged

__all__ = ["ANSWERS", "LATEST_EXPORT", "MODEL", "STUDIES", "Run", "TrainedRun", "check_name", "load", "save"]

MODEL, STUDIES, LATEST_EXPORT, ANSWERS = "model.keras", "studies", "latest-export", ".answers"
OWN_PICTURES = "own-pictures.npz"
_RECORD, _LATEST = "run.json", "latest"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")  # no leading dot: hidden folders are no runs
_KEYS = ("architecture", "parameters", "macs", "seed", "split", "labels", "metrics", "seconds")


@dataclass(frozen=True)
class TrainedRun:
    """The result of a training: the Keras model, the history of its epochs, and the record for `run.json`.

    `own` has the own pictures that it was fine-tuned on, or None.
    """

    model: Any
    history: Mapping[str, list[float]]
    record: Mapping[str, Any]
    own: OwnPictures | None = None


@dataclass(frozen=True)
class Run:
    """A run's folder, its `run.json`, and the SHA-256 of its model file when it was loaded."""

    folder: Path
    record: Mapping[str, Any]
    model_sha256: str = field(default="", compare=False)

    @property
    def name(self) -> str:
        """The run's name, that of its folder."""
        return self.folder.name

    @property
    def model_file(self) -> Path:
        """The Keras model, softmax included."""
        return self.folder / MODEL

    @property
    def exports(self) -> Path:
        """The folder of the files that were exported from it."""
        return self.folder / "exports"

    @property
    def origin(self) -> dict[str, Any]:
        """The model's origin for a contract; nothing in it depends on this machine."""
        keys = ("architecture", "parameters", "macs", "seed", "split", *(["from"] if "from" in self.record else []))
        dataset = {key: value for key, value in self.record["dataset"].items() if key != "source"}
        return {**{key: self.record[key] for key in keys}, "dataset": dataset}

    @property
    def unseen_handwriting(self) -> Callable[[], tuple[NDArray[np.uint8], NDArray[np.int64]]] | None:
        """A function that draws digits in styles that no training saw; None for a training without handwriting.

        Thresholds of a network that never saw generated handwriting are not chosen on it: they would refuse nearly all.
        """
        if not self.record.get("handwriting"):
            return None
        return partial(pool.held_out, tuple(self.record["labels"]))

    def unchanged(self) -> AbstractContextManager[None]:
        """Keep the run from being replaced while the block publishes what was made of it.

        Raises:
            InputError: it was replaced or removed since it was loaded.
        """
        return unchanged(self.model_file, self.model_sha256, self.folder)

    def summary(self) -> str:
        """Summarize the run in a few lines of text."""
        record = self.record
        dataset, split, metrics = record["dataset"], record["split"], record["metrics"]
        counts = {"train": split["train"], "validation": split["validation"], "test": dataset["test"]}
        lines = [
            f"{self.folder}: {record['architecture']}, {record['parameters']:,} parameters, "
            f"{record['macs']:,} multiply-accumulates (MACs)",
            f"trained on {dataset['name']} in {record['seconds']:.0f} seconds; accuracy with its 95% interval:",
        ]
        for part, images in counts.items():
            accuracy = format_accuracy(metrics[part]["accuracy"], images)
            lines.append(f"  {f'{part} images':<19}{accuracy} of {images:,}")
        lines += [
            f"WARNING: {text}" for part in ("validation", "test") if (text := few_images_warning(counts[part], part))
        ]
        if dataset["warning"]:
            lines.append(f"WARNING: {dataset['warning']}")
        return "\n".join(lines)

    def base_dataset(self, choice: str | None = None) -> Dataset:
        """Load the data set of the run without own pictures, from where it was or from `choice`.

        Raises:
            InputError: it cannot be found, or is not the data of the run.
        """
        return recorded_data.load(self.name, self.record["dataset"], choice)

    def own_pictures(self) -> OwnPictures | None:
        """Load the own pictures that the network was fine-tuned on; None where there are none.

        Raises:
            InputError: their file is missing, damaged or changed.
        """
        return recorded_data.load_own(self.folder / OWN_PICTURES, self.record["dataset"])

    def dataset(self, choice: str | None = None) -> Dataset:
        """Load the data set of the run, with its own pictures, from where it was or from `choice`.

        Raises:
            InputError: it cannot be found, or is not the data of the run.
        """
        base, own = self.base_dataset(choice), self.own_pictures()
        return base if own is None else own_pictures.join(base, own)


def check_name(name: str, kind: str = "run") -> None:
    """Raise UsageError unless `name` is allowed for a run or a study."""
    if not _NAME.fullmatch(name) or name in (_LATEST, LATEST_EXPORT, STUDIES):
        taken = f"(and none of {_LATEST}, {LATEST_EXPORT}, {STUDIES})"
        raise UsageError(f"{name!r} cannot name a {kind}; use letters, digits, '.', '_' and '-' {taken}")


def save(trained: TrainedRun, dataset: Dataset, runs_dir: Path, name: str, *, overwrite: bool = False) -> Run:
    """Write a run's folder atomically and make it the latest.

    Args:
        trained: from `fit.train`.
        dataset: its data set, whose test images are drawn.
        runs_dir: the folder of all runs.
        name: of the run; if it is taken, the next free one of NAME-2, NAME-3 ...
        overwrite: replace the run of that name instead, including its exports.

    The caller has the name's training lock, unless nobody else trains in that folder.
    """
    from . import plots  # matplotlib, which `load` does not need

    check_name(name)
    runs_dir.mkdir(parents=True, exist_ok=True)
    with temporary_path(runs_dir / name) as temporary:
        temporary.mkdir()
        trained.model.save(temporary / MODEL)
        text = json.dumps(trained.record, indent=2, ensure_ascii=False)
        (temporary / _RECORD).write_text(text + "\n", encoding="utf-8")
        _write_history(temporary / "history.csv", trained.history)
        if trained.own:
            trained.own.save(temporary / OWN_PICTURES)
        plots.write_all(temporary, trained.model, trained.history, dataset)
        folder = replacement.move(temporary, runs_dir / name, overwrite=overwrite)
    with atomic_path(runs_dir / _LATEST) as pointer:
        pointer.write_text(folder.name + "\n", encoding="utf-8")
    return Run(folder, trained.record, sha256_of(folder / MODEL))


def load(runs_dir: Path, name: str | None = None) -> Run:
    """Load the run `name`, or the newest one.

    Raises:
        InputError: there is no such run, or its record is damaged.
    """
    if name is None:
        latest = runs_dir / _LATEST
        if not latest.is_file():
            raise InputError(f"{runs_dir}: no run yet; make one with: mnist-edge train")
        name = latest.read_text(encoding="utf-8").strip()
    folder = runs_dir / name
    if _NAME.fullmatch(name):
        replacement.recover(folder)
    sha256 = sha256_of(folder / MODEL)  # before the record: of a run that is replaced now, nothing passes for another's
    if not _NAME.fullmatch(name) or not (folder / _RECORD).is_file() or not (folder / MODEL).is_file():
        known = sorted(path.parent.name for path in runs_dir.glob(f"[!.]*/{_RECORD}"))
        there = f"there are {', '.join(known)}" if known else "none is there yet; make one with: mnist-edge train"
        raise InputError(f"{runs_dir}: no run {name!r}; {there}")
    try:
        record = json.loads((folder / _RECORD).read_text(encoding="utf-8"))
        missing = [key for key in _KEYS if key not in record]
        missing += [f"dataset.{key}" for key in ("name", "sha256", "warning") if key not in record["dataset"]]
        if missing:
            raise ValueError(f"it has no {', '.join(missing)}")
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{folder / _RECORD}: cannot be read ({error}); train the run again") from None
    return Run(folder, record, sha256)


def _write_history(path: Path, history: Mapping[str, list[float]]) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["epoch", *history])
        writer.writerows([number, *row] for number, row in enumerate(zip(*history.values(), strict=True), start=1))
