"""What a training keeps of itself, so that one that is killed goes on to the same final weights.

runs/.NAME.FINGERPRINT/
└── checkpoint.npz   after the last whole epoch: variables of network and optimizer, best weights, history
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mnist_edge_runtime.errors import InputError, UsageError
from numpy.typing import NDArray

from ..data.datasets import Dataset, Split
from ..networks.config import TrainConfig
from ..runs.run import Run

__all__ = ["State", "fingerprint", "read", "restore", "working_folder", "write"]

_FILE = "checkpoint.npz"
Weights = tuple[NDArray[Any], ...]


@dataclass(frozen=True)
class State:
    """A training after a whole epoch.

    Attributes:
        history: the figures of each epoch so far.
        seconds: how long they took.
        variables: of the network and then of the optimizer, the moving average of the weights among them.
        best: the network's weights after the epoch of the lowest validation loss; none where nobody waits for it.
    """

    history: Mapping[str, list[float]]
    seconds: float
    variables: Weights
    best: Weights = ()


def fingerprint(config: TrainConfig, dataset: Dataset, split: Split, teachers: Sequence[Run]) -> str:
    """Return the hash of all that the final weights depend on, but for the versions of the libraries."""
    parts = {
        "architecture": config.architecture,
        "seed": config.seed,
        "recipe": asdict(config.recipe(len(split.train_images))),
        "data": [dataset.sha256, split.sha256],
        "teachers": [hashlib.sha256(teacher.model_file.read_bytes()).hexdigest() for teacher in teachers],
    }
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


@contextmanager
def working_folder(runs_dir: Path, name: str, fingerprint: str, *, resume: bool) -> Iterator[Path]:
    """Yield the hidden folder of a training; it is removed when the block ends well and left when it does not.

    Args:
        runs_dir: the folder of all runs.
        name: of the run to come.
        fingerprint: of the training.
        resume: keep what a training of that name and fingerprint left there.

    Raises:
        UsageError: only trainings of that name with other options have left anything.
    """
    folder = runs_dir / f".{name}.{fingerprint}"
    if not resume:
        shutil.rmtree(folder, ignore_errors=True)
    elif not folder.exists() and any(runs_dir.glob(f".{name}.*/{_FILE}")):
        raise UsageError(f"the training of {name!r} that was cut short had other options or other data; repeat those")
    folder.mkdir(parents=True, exist_ok=True)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def write(folder: Path, state: State) -> None:
    """Write the state; a process that is killed meanwhile leaves the one before."""
    temporary = folder / f".{_FILE}.{os.getpid()}"
    arrays = {f"variable-{number}": array for number, array in enumerate(state.variables)}
    arrays |= {f"best-{number}": array for number, array in enumerate(state.best)}
    rest = json.dumps({"history": state.history, "seconds": state.seconds})
    try:
        with open(temporary, "wb") as file:
            np.savez(file, rest=np.array(rest), **arrays)
        os.replace(temporary, folder / _FILE)
    finally:
        temporary.unlink(missing_ok=True)


def read(folder: Path) -> State | None:
    """Return the state that was written last, or None.

    Raises:
        InputError: the file is damaged.
    """
    file = folder / _FILE
    if not file.exists():
        return None
    try:
        with np.load(file, allow_pickle=False) as archive:
            rest = json.loads(str(archive["rest"]))
            return State(rest["history"], rest["seconds"], _all(archive, "variable"), _all(archive, "best"))
    except Exception as error:  # zipfile, zlib, json and numpy each have errors of their own
        raise InputError(f"{file}: damaged ({error}); train anew without --resume") from None


def restore(variables: Sequence[Any], state: State, folder: Path) -> None:
    """Give the variables of a network and its optimizer the values of the state.

    Raises:
        InputError: they are those of another network; `folder` is named.
    """
    if [tuple(variable.shape) for variable in variables] != [value.shape for value in state.variables]:
        raise InputError(f"{folder / _FILE}: belongs to another network; train anew without --resume")
    for variable, value in zip(variables, state.variables, strict=True):
        variable.assign(value)


def _all(archive: Mapping[str, NDArray[Any]], kind: str) -> Weights:
    names: Sequence[str] = [name for name in archive if name.startswith(f"{kind}-")]
    return tuple(archive[f"{kind}-{number}"] for number in range(len(names)))
