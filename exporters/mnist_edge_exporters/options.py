"""Define the options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from mnist_edge_runtime import json_output
from mnist_edge_runtime.path_checks import check_file, check_folder

from . import own_code

__all__ = [
    "AsJson",
    "File",
    "FileRun",
    "Imports",
    "Labels",
    "ModelFile",
    "Pixels",
    "RunData",
    "RunName",
    "RunsDir",
    "Targets",
    "Tolerances",
    "complete_run",
]


def complete_run(context: typer.Context, incomplete: str) -> list[str]:
    """Return the names of runs that begin with `incomplete`, for a shell's completion."""
    runs_dir = Path(context.params.get("runs_dir") or "runs")
    return sorted(file.parent.name for file in runs_dir.glob(f"{incomplete or '[!.]'}*/run.json"))


AsJson = Annotated[bool, typer.Option("--json", help=json_output.HELP)]
File = Annotated[Path, typer.Argument(help="Exported model file.", callback=check_file)]
FileRun = Annotated[
    str | None,
    typer.Option(
        "--run",
        help="Run that the file was exported from. (default: its folder's, or the latest)",
        autocompletion=complete_run,
    ),
]
ModelFile = Annotated[
    Path | None,
    typer.Option(
        "--model",
        help="A .keras or .h5 file, or a published network (base, small, tiny, nano or pico), instead of a run; its "
        "exports are in exports/ beside it, where classify finds them.",
        callback=check_file,
    ),
]
Imports = Annotated[
    list[str] | None,
    typer.Option(
        "--import",
        help="Python module, or .py file, that defines layers of the model of --model; it is run. Repeatable.",
        callback=own_code.request,
    ),
]
Labels = Annotated[
    str | None,
    typer.Option(help="Labels in the order of the network's outputs, separated by commas. (default: that of the data)"),
]
Pixels = Annotated[
    str | None,
    typer.Option(help="Reading of the pixels whose layers are put in front, such as -1..1 or transposed,0..255."),
]
RunData = Annotated[
    str | None,
    typer.Option("--data", help="Data set of the run, if it has moved; with --model, the data set of the model."),
]
RunName = Annotated[
    str | None, typer.Option("--run", help="Name of the run. (default: the latest)", autocompletion=complete_run)
]
RunsDir = Annotated[Path, typer.Option(help="Folder of all runs.", callback=check_folder)]
Targets = Annotated[
    list[str] | None,
    typer.Option("--target-runtime", help="Runtime to prove the files on, ENGINE or ENGINE==VERSION; repeatable."),
]
Tolerances = Annotated[list[str] | None, typer.Option(help="Tolerance to change, NAME=NUMBER; repeatable.")]
