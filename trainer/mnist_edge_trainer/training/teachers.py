"""Find the networks that `train --teacher` names: runs, or published networks."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from mnist_edge_runtime.command_line import tell
from mnist_edge_runtime.host import cache_folder

from ..networks.published import PUBLISHED, TRAINED_ON, weights_file
from ..runs import run
from ..runs.run import MODEL, Run
from ..runs.unchanged import sha256_of, unchanged

__all__ = ["Teacher", "find", "of_run"]


@dataclass(frozen=True)
class Teacher:
    """A trained network whose answers become part of a student's targets.

    Attributes:
        name: of the run or the published network.
        model_file: the Keras model.
        model_sha256: of that file when it was found.
        trained_on: the SHA-256 of its data set and of the split of that.
        run: the folder of its run, where its answers are kept, too; None for a published network.
    """

    name: str
    model_file: Path
    model_sha256: str
    trained_on: tuple[str, str]
    run: Path | None = None

    @property
    def answers(self) -> Path:
        """The folder that its answers are kept in for all its students."""
        return self.run or cache_folder()

    def unchanged(self) -> AbstractContextManager[None]:
        """Keep the network from being replaced while the block writes its answers.

        Raises:
            InputError: it was replaced or removed since it was found.
        """
        return unchanged(self.model_file, self.model_sha256, self.run)


def find(name: str, runs_dir: Path) -> Teacher:
    """Return the teacher of a name: the run, or else the published network.

    Raises:
        InputError: there is neither, or the run's record is damaged.
    """
    if name not in PUBLISHED or (runs_dir / name / MODEL).is_file():
        return of_run(run.load(runs_dir, name))
    tell(f"teacher {name}: the published network")
    file = weights_file(name)
    return Teacher(name, file, sha256_of(file), TRAINED_ON)


def of_run(found: Run) -> Teacher:
    """Return a run as a teacher."""
    trained_on = found.record["dataset"]["sha256"], found.record["split"]["sha256"]
    return Teacher(found.name, found.model_file, found.model_sha256, trained_on, found.folder)
