"""Define the command `evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol

import typer
from mnist_edge_runtime.json_output import print_result

from ..options import AsJson, ModelFile, RunData, RunName, RunsDir

if TYPE_CHECKING:
    from .evaluate import Subject

__all__ = ["SubjectFinder", "evaluate"]


class SubjectFinder(Protocol):
    """Finds what a command measures; the joining command line sets it as the `obj` of typer's context."""

    def subject(self, runs_dir: Path, run: str | None, model: Path | None, data: str | None, part: str) -> Subject:
        """Return a run, an exported file or a .keras file, with the images of a part, "test" or "validation"."""


def evaluate(
    context: typer.Context,
    run: RunName = None,
    model: ModelFile = None,
    data: RunData = None,
    on: Annotated[str, typer.Option(help="Images to evaluate on: test or validation.")] = "test",
    corruptions: Annotated[bool, typer.Option(help="Also measure robustness to image corruptions.")] = True,
    runs_dir: RunsDir = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Evaluate a run or a file: accuracy, calibration, mistakes, robustness. Writes metrics and plots beside it."""
    from . import evaluate as evaluation

    evaluation.check_part(on)
    finder: SubjectFinder = context.obj
    subject = finder.subject(runs_dir, run, model, data, on)
    found = evaluation.evaluate(subject, corruptions=corruptions)
    with subject.unchanged():
        files = [str(file) for file in evaluation.save(found, subject.images, subject.stem)]
    text = "\n  ".join([f"{found.table()}\n\nTo look at:", *files])
    print_result(as_json, {**found.to_dict(), "files": files}, text)
