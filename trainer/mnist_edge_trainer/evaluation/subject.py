"""What is evaluated: a model as a function from images to probabilities, and the images."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from mnist_edge_runtime import Classifier
from mnist_edge_runtime.errors import InputError, UsageError
from mnist_edge_runtime.output_capture import suppress_output
from mnist_edge_runtime.time_limit import model_limit
from numpy.typing import NDArray

from ..data import datasets
from ..data.parts import Part
from ..runs.run import MODEL
from ..runs.unchanged import sha256_of, unchanged

__all__ = ["Subject", "check_part"]

_STEP = 32  # images, a multiple of every engine's batch, so that all are run as in one call


@dataclass(frozen=True)
class Subject:
    """A model and the images to evaluate it on.

    Attributes:
        model: its file.
        engine: what runs it: "keras", or an engine of the runtime.
        predict: uint8 (N, 28, 28) -> probabilities, float32 (N, classes).
        labels: the label of each class.
        dataset: from `Dataset.describe`.
        part: "test", "validation" or "all".
        images, truth: uint8 (N, 28, 28), and the indices of their classes, int64 (N,).
        accepts: uint8 (N, 28, 28) -> whether the contract accepts each answer, bool (N,); None without a threshold.
        unchanged: keeps the file as it was read while the block writes beside it, or raises InputError if it was
            replaced since.
    """

    model: Path
    engine: str
    predict: Callable[[NDArray[np.uint8]], NDArray[np.float32]]
    labels: tuple[str, ...]
    dataset: Mapping[str, Any]
    part: str
    images: NDArray[np.uint8]
    truth: NDArray[np.int64]
    accepts: Callable[[NDArray[np.uint8]], NDArray[np.bool_]] | None = None
    unchanged: Callable[[], AbstractContextManager[None]] = nullcontext

    @property
    def stem(self) -> Path:
        """Common beginning of the paths of its evaluation: in the run's folder, or beside the file."""
        name = "evaluation" if self.model.name == MODEL else f"{self.model.name}.evaluation"
        return self.model.with_name(name if self.part == "test" else f"{name}-{self.part}")

    @classmethod
    def of_file(cls, file: Path, choice: str | None, part: str) -> Subject:
        """Load an exported file, and the data it was trained on or that `choice` names.

        Raises:
            InputError: the file or the data cannot be read, or the data has other labels.
            ModelError: the file is damaged, has no contract or runs on no engine here.
        """
        sha256 = sha256_of(file)
        with model_limit(file, "load"), suppress_output():
            classifier = Classifier.load(file)
        contract = classifier.contract
        trained_on = contract.origin.get("dataset") or {}
        if choice is None:
            choice = str(trained_on.get("name"))
            if choice not in ("mnist", "digits"):
                raise InputError(f"{file}: was trained on custom data; name that with --data")
        dataset = datasets.load(choice)
        if sorted(dataset.labels) != sorted(contract.labels):
            raise InputError(
                f"{dataset.source}: its labels are {_listed(dataset.labels)}, those of {file} "
                f"{_listed(contract.labels)}; name other data with --data"
            )
        described = dataset.describe()
        base = trained_on.get("base") or {}  # of a network that pictures of one's own trained, too
        if part == "all" and described["sha256"] in (trained_on.get("sha256"), base.get("sha256")):
            raise InputError(f"--on all: {file} was trained on images of {dataset.source}; take --on test")
        images, truth = _part(dataset, part)
        places = np.array([contract.labels.index(label) for label in dataset.labels])  # its outputs may be in any order
        return cls(
            model=file,
            engine=classifier.engine_name,
            predict=partial(_in_steps, file, classifier.probabilities),
            labels=contract.labels,
            dataset=described,
            part=part,
            images=images,
            truth=places[truth],
            accepts=None
            if contract.output.threshold is None
            else lambda some: classifier.accepts(_in_steps(file, classifier.logits, some)),
            unchanged=partial(unchanged, file, sha256),
        )


def _in_steps(
    file: Path, run: Callable[[NDArray[np.uint8]], NDArray[np.float32]], images: NDArray[np.uint8]
) -> NDArray[np.float32]:
    """Run a file on images, with a limit on the time of each step."""
    answers = []
    with model_limit(file, f"answer {_STEP} images") as limit:
        for start in range(0, len(images), _STEP):
            answers.append(run(images[start : start + _STEP]))
            limit.again()
    return np.concatenate(answers)


def _part(dataset: datasets.Dataset, part: str) -> Part:
    """Return the images and labels of a part of the data."""
    test = Part(dataset.test_images, dataset.test_labels)
    if part == "test":
        return test
    if part == "validation":
        split = datasets.split(dataset)
        return split.validation
    parts = [(dataset.train_images, dataset.train_labels), *([dataset.validation] if dataset.validation else []), test]
    return Part(*map(np.concatenate, zip(*parts, strict=True)))


def check_part(part: str) -> None:
    """Raise UsageError unless `part` is "test", "validation" or "all"."""
    if part not in ("test", "validation", "all"):
        raise UsageError(f"--on {part} is unknown; choose from test, validation, all")


def _listed(labels: tuple[str, ...]) -> str:
    return ", ".join(labels) if len(labels) <= 10 else f"{', '.join(labels[:10])} ... ({len(labels)})"
