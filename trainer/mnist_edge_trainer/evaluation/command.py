"""Define the commands `evaluate` and `compare`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer
from mnist_edge_runtime.errors import UsageError
from mnist_edge_runtime.json_output import print_result
from mnist_edge_runtime.model_file.formats.registry import for_suffix
from mnist_edge_runtime.path_checks import check_file

from ..options import AsJson, Imports, Labels, ModelFile, Pixels, RunData, RunName, RunsDir, complete_run

if TYPE_CHECKING:
    from .subject import Subject

__all__ = ["SubjectFinder", "compare", "evaluate"]


class SubjectFinder(Protocol):
    """Finds what a command measures; the joining command line sets it as the `obj` of typer's context."""

    def subject(
        self,
        runs_dir: Path,
        run: str | None,
        model: Path | None,
        data: str | None,
        part: str,
        *reading: str | None,
        imports: list[str] | None = None,
    ) -> Subject:
        """Return a run, an exported file or a Keras model's file, with the images of a part.

        Args:
            runs_dir, run, model, data: as the options of their names.
            part: of the data: "test", "validation" or, of an exported file, "all".
            reading: --pixels and --labels.
            imports: modules that define layers of the model.
        """


def evaluate(
    context: typer.Context,
    run: RunName = None,
    model: ModelFile = None,
    data: RunData = None,
    imports: Imports = None,
    pixels: Pixels = None,
    labels: Labels = None,
    on: Annotated[
        str, typer.Option(help="Images to evaluate on: test, validation, or all of data that is new to a file.")
    ] = "test",
    corruptions: Annotated[bool, typer.Option(help="Also measure robustness to image corruptions.")] = True,
    runs_dir: RunsDir = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Evaluate a run or a file: accuracy, calibration, mistakes, robustness. Writes metrics and plots beside it."""
    from . import evaluate as evaluation
    from .subject import check_part

    check_part(on)
    if on == "all" and (run or model is None or not for_suffix(model.suffix)):
        raise UsageError("--on all is for an exported file, which --model names, and data that is new to it")
    finder: SubjectFinder = context.obj
    subject = finder.subject(runs_dir, run, model, data, on, pixels, labels, imports=imports)
    found = evaluation.evaluate(subject, corruptions=corruptions)
    with subject.unchanged():
        files = [str(file) for file in evaluation.save(found, subject.images, subject.stem)]
    text = "\n  ".join([f"{found.table()}\n\nTo look at:", *files])
    print_result(as_json, {**found.to_dict(), "files": files}, text)


def compare(
    context: typer.Context,
    first: Annotated[str, typer.Argument(help="Run or file.", autocompletion=complete_run)],
    second: Annotated[str, typer.Argument(help="Run or file to compare it with.", autocompletion=complete_run)],
    data: Annotated[str | None, typer.Option(help="Data set to compare on. (default: that of each)")] = None,
    runs_dir: RunsDir = Path("runs"),
    as_json: AsJson = False,
) -> None:
    """Compare two runs or files: settings that differ, accuracy on the same test images, size, exports."""
    from . import side_by_side

    sides = [_side(context.obj, each, data, runs_dir) for each in (first, second)]
    found = side_by_side.compare(*sides)
    print_result(as_json, found.to_dict(), found.table())


def _side(finder: SubjectFinder, name: str, data: str | None, runs_dir: Path) -> tuple[Subject, dict[str, Any]]:
    """Return a run, or where there is a file of that name the file, with its settings."""
    from ..runs.run import load
    from . import side_by_side

    if check_file(file := Path(name)) and file.is_file():
        return finder.subject(runs_dir, None, file, data, "test"), side_by_side.settings_of_file(file)
    settings = side_by_side.settings_of_run(load(runs_dir, name))
    return finder.subject(runs_dir, name, None, data, "test"), settings
