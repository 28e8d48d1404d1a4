"""Find the network that `train --from` names: a published one, a run, or a Keras file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mnist_edge_runtime.errors import InputError, ModelError, UsageError

from ..data.datasets import DIGITS
from ..networks.published import PUBLISHED, weights_file
from ..runs import run
from ..runs.run import MODEL, Run
from ..runs.unchanged import sha256_of

__all__ = ["StartingNetwork", "find"]

_KERAS = (".keras", ".h5", ".hdf5")


@dataclass(frozen=True)
class StartingNetwork:
    """A trained network that is to be trained further.

    Attributes:
        kind: published, run or file.
        name: by which it was found; that of the new run begins with it.
        architecture: the name of its network.
        file: its Keras model.
        sha256: of that file.
        labels: of its classes; None where the file does not tell, and those of the data count.
        run: that it is of.
        handwriting: whether generated handwriting trained it, too.
    """

    kind: str
    name: str
    architecture: str
    file: Path
    sha256: str
    labels: tuple[str, ...] | None = None
    run: Run | None = None
    handwriting: bool = False

    def describe(self) -> dict[str, Any]:
        """Describe it for `run.json`; nothing depends on this machine."""
        return {"kind": self.kind, "name": self.name, "sha256": self.sha256}


def find(choice: str, runs_dir: Path) -> StartingNetwork:
    """Return the network that a name of a published one or of a run, or the path of a file, stands for.

    Raises:
        InputError: there is none.
        ModelError: a file that cannot be trained.
        UsageError: it is the name of a published network and of a run.
    """
    path = Path(choice)
    if path.suffix.lower() in _KERAS or "/" in choice:
        return _of_path(path, choice)
    if path.suffix.lower() in (".tflite", ".onnx"):
        raise ModelError(f"{choice}: an exported file is not trained further; name the run or the .keras file it is of")
    is_run = (runs_dir / choice / MODEL).is_file()
    if choice in PUBLISHED and is_run:
        raise UsageError(
            f"--from {choice} leaves open which is meant; name the run by its file, {runs_dir / choice / MODEL}, or "
            f"the published network by its own, {weights_file(choice)}"
        )
    if choice in PUBLISHED:
        return _published(choice)
    if is_run:
        return _of_run(run.load(runs_dir, choice))
    known = sorted(file.parent.name for file in runs_dir.glob(f"[!.]*/{MODEL}"))
    raise InputError(
        f"--from {choice}: is no published network ({', '.join(PUBLISHED)}), no run in {runs_dir} "
        f"({', '.join(known) or 'there is none'}) and no .keras file"
    )


def _of_path(path: Path, choice: str) -> StartingNetwork:
    file = path / MODEL if path.is_dir() else path
    if file.suffix.lower() not in _KERAS:
        raise ModelError(f"{choice}: --from takes a .keras file; an exported file is not trained further")
    if not file.is_file():
        raise InputError(f"{choice}: no such {'run' if path.is_dir() else 'file'}; --from takes a .keras file or a run")
    for network in PUBLISHED:
        if file.resolve() == weights_file(network).resolve():
            return _published(network)
    home = file.resolve().parent
    if file.name == MODEL and (home / "run.json").is_file():
        return _of_run(run.load(home.parent, home.name))
    return StartingNetwork("file", file.stem, file.stem, file, sha256_of(file))


def _published(network: str) -> StartingNetwork:
    file = weights_file(network)
    return StartingNetwork("published", network, network, file, sha256_of(file), DIGITS, handwriting=True)


def _of_run(found: Run) -> StartingNetwork:
    return StartingNetwork(
        "run",
        found.name,
        found.record["architecture"],
        found.model_file,
        found.model_sha256,
        tuple(found.record["labels"]),
        found,
        bool(found.record.get("handwriting")),
    )
