"""Find the trained network that an option of `train` names: a published one, a run, or a Keras file."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mnist_edge_runtime.errors import InputError, ModelError, UsageError

from ..data.datasets import DIGITS
from ..networks.published import PUBLISHED, TRAINED_ON, weights_file
from ..runs import replacement, run
from ..runs.run import ANSWERS, MODEL, Run
from ..runs.unchanged import sha256_of, unchanged

__all__ = ["TrainedNetwork", "find", "of_run"]

_KERAS = (".keras", ".h5", ".hdf5")


@dataclass(frozen=True)
class TrainedNetwork:
    """A network that is to be trained further (`--from`), or whose answers others learn from (`--teacher`).

    Attributes:
        kind: published, run or file.
        name: by which it was found; that of a run that goes on from it begins with it.
        architecture: the name of its network.
        file: its Keras model.
        sha256: of that file.
        labels: of its classes; None where the file does not tell, and those of the data count.
        run: that it is of.
        trained_on: the SHA-256 of its data set and of the split of that; None where the file does not tell.
        handwriting: whether generated handwriting trained it, too.
        answers: the folder that its answers to students are kept in; None where it cannot teach.
    """

    kind: str
    name: str
    architecture: str
    file: Path
    sha256: str
    labels: tuple[str, ...] | None = None
    run: Run | None = None
    trained_on: tuple[str, str] | None = None
    handwriting: bool = False
    answers: Path | None = None

    def describe(self) -> dict[str, Any]:
        """Describe it for `run.json`; nothing depends on this machine."""
        return {"kind": self.kind, "name": self.name, "sha256": self.sha256}

    def unchanged(self) -> AbstractContextManager[None]:
        """Keep it from being replaced while the block writes what was made of it.

        Raises:
            InputError: it was replaced or removed since it was found.
        """
        return unchanged(self.file, self.sha256, self.run.folder if self.run else None)


def find(option: str, choice: str, runs_dir: Path) -> TrainedNetwork:
    """Return the network that a name of a published one or of a run, or the path of a file, stands for.

    Args:
        option: whose value it is, such as --from.
        choice: the name or the path.
        runs_dir: the folder of all runs.

    Raises:
        InputError: there is none.
        ModelError: a file that cannot be trained.
        UsageError: it is the name of a published network and of a run.
    """
    path = Path(choice)
    if path.suffix.lower() in _KERAS or "/" in choice:
        return _of_path(option, path, runs_dir)
    if path.suffix.lower() in (".tflite", ".onnx"):
        raise ModelError(f"{choice}: an exported file is not trained; name the run or the .keras file it is of")
    replacement.recover(runs_dir / choice)  # or a run that is just being replaced would pass for none
    is_run = (runs_dir / choice / MODEL).is_file()
    if choice in PUBLISHED and is_run:
        raise UsageError(
            f"{option} {choice} leaves open which is meant; name the run by its file, {runs_dir / choice / MODEL}, or "
            f"the published network by its own, {weights_file(choice)}"
        )
    if choice in PUBLISHED:
        return _published(choice, runs_dir)
    if is_run:
        return of_run(run.load(runs_dir, choice))
    known = sorted(file.parent.name for file in runs_dir.glob(f"[!.]*/{MODEL}"))
    raise InputError(
        f"{option} {choice}: is no published network ({', '.join(PUBLISHED)}), no run in {runs_dir} "
        f"({', '.join(known) or 'there is none'}) and no .keras file"
    )


def _of_path(option: str, path: Path, runs_dir: Path) -> TrainedNetwork:
    file = path / MODEL if path.is_dir() else path
    if file.suffix.lower() not in _KERAS:
        raise ModelError(f"{path}: {option} takes a .keras file; an exported file is not trained")
    if not file.is_file():
        raise InputError(f"{path}: no such {'run' if path.is_dir() else 'file'}; {option} takes a .keras file or a run")
    for network in PUBLISHED:
        if file.resolve() == weights_file(network).resolve():
            return _published(network, runs_dir)
    home = file.resolve().parent
    if file.name == MODEL and (home / "run.json").is_file():
        return of_run(run.load(home.parent, home.name))
    return TrainedNetwork("file", file.stem, file.stem, file, sha256_of(file))


def _published(network: str, runs_dir: Path) -> TrainedNetwork:
    file = weights_file(network)
    return TrainedNetwork(
        "published",
        network,
        network,
        file,
        sha256_of(file),
        DIGITS,
        trained_on=TRAINED_ON,
        handwriting=True,
        answers=runs_dir / ANSWERS,
    )


def of_run(found: Run) -> TrainedNetwork:
    """Return the network of a run."""
    record = found.record
    return TrainedNetwork(
        "run",
        found.name,
        record["architecture"],
        found.model_file,
        found.model_sha256,
        tuple(record["labels"]),
        found,
        (record["dataset"]["sha256"], record["split"]["sha256"]),
        bool(record.get("handwriting")),
        found.folder,
    )
