"""Find the data of a run again: the data set, and the own pictures that lie in the run's folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mnist_edge_runtime.errors import InputError

from ..data import datasets, own_pictures
from ..data.datasets import Dataset
from ..data.own_pictures import OwnPictures

__all__ = ["load", "load_own"]


def load(name: str, recorded: Mapping[str, Any], choice: str | None) -> Dataset:
    """Load the data set of a run without own pictures, from where it was or from `choice`.

    Args:
        name: of the run.
        recorded: what its record says of its data.
        choice: as in `datasets.load`.

    Raises:
        InputError: it cannot be found, or is not the data of the run.
    """
    base, source = recorded.get("base", recorded), str(recorded.get("source"))
    if choice is None:
        if base["name"] == "custom" and not Path(source).exists():
            raise InputError(f"the data of run {name!r} is no longer at {source}; name its folder with --data")
        choice = "digits" if base["name"] == "digits" else source if Path(source).exists() else "mnist"
    found = datasets.load(choice)
    if found.sha256 != base["sha256"]:
        raise InputError(
            f"{found.source}: other data than run {name!r} was trained on ({base['name']}, "
            f"SHA-256 {base['sha256'][:12]}...); name that with --data. On other pictures, an exported file is "
            "measured: mnist-edge evaluate --model FILE --data FOLDER --on all"
        )
    return found


def load_own(file: Path, recorded: Mapping[str, Any]) -> OwnPictures | None:
    """Load the own pictures of a run from their file; None where its record has none.

    Raises:
        InputError: the file is missing, damaged or changed.
    """
    if "own" not in recorded:
        return None
    own = own_pictures.load(file)
    if own.describe()["sha256"] != recorded["own"]["sha256"]:
        raise InputError(f"{file}: has changed since the run was trained on it; train the run again")
    return own
