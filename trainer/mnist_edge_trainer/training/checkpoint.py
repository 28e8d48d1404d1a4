"""Checkpoint a training, so that an interrupted one resumes to the same final weights.

runs/.NAME.FINGERPRINT/
└── checkpoint.npz   after the last complete epoch: variables of network and optimizer, best weights, history
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mnist_edge_runtime.errors import InputError, UsageError
from mnist_edge_runtime.files import atomic_path
from numpy.typing import NDArray

from ..data.datasets import Dataset, Split
from ..handwriting.pool import for_training
from ..networks.config import TrainConfig
from .trained_network import TrainedNetwork

__all__ = ["State", "fingerprint", "read", "restore", "working_folder", "write"]

_FILE = "checkpoint.npz"
_WORKING = re.compile(r"[0-9a-f]{16}")  # a fingerprint
Weights = tuple[NDArray[Any], ...]


@dataclass(frozen=True)
class State:
    """A training after a complete epoch.

    Attributes:
        history: the metrics of each epoch so far.
        seconds: spent on these epochs.
        variables: of the network and then of the optimizer, the moving average of the weights among them.
        best: the network's weights after the epoch with the lowest validation loss; empty without early stopping.
    """

    history: Mapping[str, list[float]]
    seconds: float
    variables: Weights
    best: Weights = ()


def fingerprint(config: TrainConfig, dataset: Dataset, split: Split, teachers: Sequence[TrainedNetwork]) -> str:
    """Hash everything that the final weights depend on, except the versions of libraries."""
    count = len(split.train.images)
    recipe = config.recipe(count)
    parts = {
        "architecture": config.architecture,
        "seed": config.seed,
        "recipe": asdict(recipe),
        "handwriting": for_training(count, dataset.labels).sha256 if recipe.handwriting else None,
        "data": [dataset.sha256, split.sha256],
        "teachers": [teacher.sha256 for teacher in teachers],
    }
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


@contextmanager
def working_folder(runs_dir: Path, name: str, fingerprint: str, *, resume: bool) -> Iterator[Path]:
    """Yield the hidden folder of a training; it is removed when the block succeeds.

    It is kept with its checkpoint when the block fails after one was written. The caller has the name's training lock,
    so that all else in the folders of that name is of processes that were killed.

    Args:
        runs_dir: the folder of all runs.
        name: of the future run.
        fingerprint: of the training.
        resume: keep the checkpoint of a training of that name and fingerprint.

    Raises:
        UsageError: the only checkpoints of that name are of trainings with other options.
    """
    folder = runs_dir / f".{name}.{fingerprint}"
    own = [path for path in runs_dir.glob(f".{name}.*") if _WORKING.fullmatch(path.name.removeprefix(f".{name}."))]
    if not resume:
        shutil.rmtree(folder, ignore_errors=True)
    elif not folder.exists() and any((path / _FILE).exists() for path in own):
        raise UsageError(f"the interrupted training of {name!r} had other options or data; repeat those to resume it")
    for path in own:
        if path.exists():
            _tidy(path)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield folder
    except BaseException:
        _tidy(folder)
        raise
    shutil.rmtree(folder, ignore_errors=True)


def _tidy(folder: Path) -> None:
    """Remove all but the checkpoint from the folder of a training, and the folder if there is none."""
    for path in folder.iterdir():
        if path.name != _FILE:
            path.unlink()
    if not (folder / _FILE).exists():
        folder.rmdir()


def write(folder: Path, state: State) -> None:
    """Write the state atomically."""
    arrays = {f"variable-{number}": array for number, array in enumerate(state.variables)}
    arrays |= {f"best-{number}": array for number, array in enumerate(state.best)}
    rest = json.dumps({"history": state.history, "seconds": state.seconds})
    content = io.BytesIO()  # an archive that cannot be closed on a full disk complains when it is collected
    np.savez(content, rest=np.array(rest), **arrays)
    with atomic_path(folder / _FILE) as temporary:
        temporary.write_bytes(content.getbuffer())


def read(folder: Path) -> State | None:
    """Read the last state, or return None.

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
        raise InputError(f"{file}: damaged ({error}); train again without --resume") from None


def restore(variables: Sequence[Any], state: State, folder: Path) -> None:
    """Assign the values of the state to the variables of a network and its optimizer.

    Raises:
        InputError: the state is of another network; the message names `folder`.
    """
    if [tuple(variable.shape) for variable in variables] != [value.shape for value in state.variables]:
        raise InputError(f"{folder / _FILE}: is of another network; train again without --resume")
    for variable, value in zip(variables, state.variables, strict=True):
        variable.assign(value)


def _all(archive: Mapping[str, NDArray[Any]], kind: str) -> Weights:
    names: Sequence[str] = [name for name in archive if name.startswith(f"{kind}-")]
    return tuple(archive[f"{kind}-{number}"] for number in range(len(names)))
