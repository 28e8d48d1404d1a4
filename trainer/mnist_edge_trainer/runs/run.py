"""A run's folder: what it holds, how it is written at once, and how it is found again.

runs/
├── latest               the name of the newest run
├── studies/             what `mnist-edge tune` found (study.py)
└── classic/
    ├── model.keras      the network, softmax included
    ├── run.json         configuration, data, versions, figures
    ├── history.csv      loss and accuracy of each epoch
    ├── *.png            learning curves, sample predictions, confusion matrix
    ├── evaluation*      what `mnist-edge evaluate` measured and drew
    ├── answers-*.npy    what it says as a teacher (distillation.py)
    └── exports/         what `mnist-edge export` published
"""

from __future__ import annotations

import csv
import json
import os
import re
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mnist_edge_runtime.errors import InputError, UsageError

from ..data import datasets
from ..data.datasets import Dataset

__all__ = ["MODEL", "STUDIES", "Run", "TrainedRun", "check_name", "load", "newest_export", "save"]

MODEL, STUDIES = "model.keras", "studies"
_RECORD, _LATEST = "run.json", "latest"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")  # no leading dot: hidden folders are not yet, or no longer, runs
_KEYS = ("architecture", "parameters", "macs", "seed", "split", "labels", "metrics", "seconds")


@dataclass(frozen=True)
class TrainedRun:
    """What a training made: the Keras model, the history of its epochs, and what `run.json` will say."""

    model: Any
    history: Mapping[str, list[float]]
    record: Mapping[str, Any]


@dataclass(frozen=True)
class Run:
    """A run's folder and its `run.json`."""

    folder: Path
    record: Mapping[str, Any]

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def model_file(self) -> Path:
        return self.folder / MODEL

    @property
    def exports(self) -> Path:
        return self.folder / "exports"

    @property
    def origin(self) -> dict[str, Any]:
        """What a contract says of where the model came from: nothing that depends on this machine."""
        keys = ("architecture", "parameters", "macs", "seed", "split")
        dataset = {key: value for key, value in self.record["dataset"].items() if key != "source"}
        return {**{key: self.record[key] for key in keys}, "dataset": dataset}

    def summary(self) -> str:
        """Return the run in a few lines, as a person reads it."""
        record = self.record
        dataset, metrics = record["dataset"], record["metrics"]
        accuracies = ", ".join(f"{part} images {figures['accuracy']:.2%}" for part, figures in metrics.items())
        lines = [
            f"{self.folder}: {record['architecture']}, {record['parameters']:,} parameters, {record['macs']:,} MACs",
            f"trained on {dataset['name']} in {record['seconds']:.0f} seconds; accuracy on {accuracies}",
        ]
        if dataset["warning"]:
            lines.append(f"WARNING: {dataset['warning']}")
        return "\n".join(lines)

    def dataset(self, choice: str | None = None) -> Dataset:
        """Return the data the run was trained on, found again or named by `choice`.

        Raises:
            InputError: it cannot be found, or is other data than the run's.
        """
        recorded = self.record["dataset"]
        source = str(recorded.get("source"))
        if choice is None:
            if recorded["name"] == "custom" and not Path(source).exists():
                raise InputError(f"the data of run {self.name!r} is no longer at {source}; name it with --data")
            choice = "digits" if recorded["name"] == "digits" else source if Path(source).exists() else "mnist"
        found = datasets.load(choice)
        if found.sha256 != recorded["sha256"]:
            raise InputError(
                f"{found.source}: other data than run {self.name!r} was trained on ({recorded['name']}, "
                f"SHA-256 {recorded['sha256'][:12]}...); name that with --data"
            )
        return found


def check_name(name: str, kind: str = "run") -> None:
    """Raise UsageError unless `name` can be that of a run, or of a study."""
    if not _NAME.fullmatch(name) or name in (_LATEST, STUDIES):
        taken = f"(and neither {_LATEST!r} nor {STUDIES!r})"
        raise UsageError(f"{name!r} cannot name a {kind}; use letters, digits, '.', '_' and '-' {taken}")


def save(trained: TrainedRun, dataset: Dataset, runs_dir: Path, name: str, *, overwrite: bool = False) -> Run:
    """Write a run's folder and make it the latest; a process that is killed meanwhile leaves no run behind.

    Args:
        trained: what `fit.train` returned.
        dataset: the data it was trained on, for the pictures of test images.
        runs_dir: the folder of all runs.
        name: the run's name; if it is taken, the next free one of NAME-2, NAME-3 ...
        overwrite: replace the run of that name instead, its exports with it.
    """
    from . import plots  # matplotlib, which those who only look for a run can do without

    check_name(name)
    runs_dir.mkdir(parents=True, exist_ok=True)
    # A random part, not the process's number: in containers every process has the same.
    token = secrets.token_hex(4)
    temporary, pointer = runs_dir / f".{name}.{token}", runs_dir / f".{_LATEST}.{token}"
    temporary.mkdir()
    try:
        trained.model.save(temporary / MODEL)
        text = json.dumps(trained.record, indent=2, ensure_ascii=False)
        (temporary / _RECORD).write_text(text + "\n", encoding="utf-8")
        _write_history(temporary / "history.csv", trained.history)
        plots.write_all(temporary, trained.model, trained.history, dataset)
        folder = _move(temporary, runs_dir / name, overwrite)
        pointer.write_text(folder.name + "\n", encoding="utf-8")
        os.replace(pointer, runs_dir / _LATEST)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        pointer.unlink(missing_ok=True)
    return Run(folder, trained.record)


def load(runs_dir: Path, name: str | None = None) -> Run:
    """Return the run `name`, or the newest one.

    Raises:
        InputError: there is no such run, or it is damaged.
    """
    if name is None:
        latest = runs_dir / _LATEST
        if not latest.is_file():
            raise InputError(f"{runs_dir}: no run yet; make one with: mnist-edge train")
        name = latest.read_text(encoding="utf-8").strip()
    folder = runs_dir / name
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
    return Run(folder, record)


def newest_export(runs_dir: Path) -> Path:
    """Return the int8 export that was published last.

    Raises:
        InputError: there is none.
    """
    exports = [path for end in ("tflite", "onnx") for path in runs_dir.glob(f"[!.]*/exports/[!.]*-int8.{end}")]
    if not exports:
        raise InputError(f"{runs_dir}: no int8 export yet; make one with mnist-edge export, or name a model")
    return max(exports, key=lambda path: path.stat().st_mtime_ns)


def _move(temporary: Path, folder: Path, overwrite: bool) -> Path:
    """Rename the finished folder into place and return where it came to lie."""
    if overwrite and folder.exists():
        old = temporary.with_name(temporary.name + ".old")
        os.rename(folder, old)
        os.rename(temporary, folder)
        shutil.rmtree(old)
        return folder
    target, number = folder, 1
    while True:
        try:
            os.rename(temporary, target)
            return target
        except OSError:
            # Taken, perhaps a moment ago by another process: a folder that holds anything cannot be renamed over.
            if not target.exists():
                raise
            number += 1
            target = folder.with_name(f"{folder.name}-{number}")


def _write_history(path: Path, history: Mapping[str, list[float]]) -> None:
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["epoch", *history])
        writer.writerows([number, *row] for number, row in enumerate(zip(*history.values(), strict=True), start=1))
