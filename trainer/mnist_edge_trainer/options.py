"""Define the options that several commands share."""

from __future__ import annotations

import shlex
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import typer
from mnist_edge_runtime import json_output
from mnist_edge_runtime.errors import UsageError
from mnist_edge_runtime.path_checks import check_file, check_folder
from typer.core import TyperCommand, TyperOption

from .networks.published import PUBLISHED

__all__ = [
    "AsJson",
    "Data",
    "Imports",
    "Labels",
    "ModelFile",
    "Pixels",
    "RunData",
    "RunName",
    "RunsDir",
    "StrictCommand",
    "complete_run",
    "complete_start",
    "repeated",
]


class StrictCommand(TyperCommand):
    """A command that takes no option for the value of another one: --tensorboard --help asks for help, not a folder."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        taking = {
            name for each in self.params if isinstance(each, TyperOption) and not each.is_flag for name in each.opts
        }
        for option, value in pairwise(args):
            if option == "--":
                break
            if option in taking and value.startswith("--"):
                raise UsageError(f"{option} needs a value, and {value} is none; one that begins so is {option}={value}")
        return super().parse_args(ctx, args)


def repeated(runs_dir: Path, storage: str | None = None) -> str:
    """Return what a next command needs of these options to find the same runs and studies; "" for the defaults."""
    database = f" --storage {shlex.quote(storage)}" if storage else ""
    return database + ("" if runs_dir == Path("runs") else f" --runs-dir {shlex.quote(str(runs_dir))}")


def complete_run(context: typer.Context, incomplete: str) -> list[str]:
    """Return the names of runs that begin with `incomplete`, for a shell's completion."""
    runs_dir = Path(context.params.get("runs_dir") or "runs")
    return sorted(file.parent.name for file in runs_dir.glob(f"{incomplete or '[!.]'}*/run.json"))


def complete_start(context: typer.Context, incomplete: str) -> list[str]:
    """Return the names of published networks and of runs that begin with `incomplete`."""
    published = [name for name in PUBLISHED if name.startswith(incomplete)]
    return [*published, *complete_run(context, incomplete)]


AsJson = Annotated[bool, typer.Option("--json", help=json_output.HELP)]
Data = Annotated[
    str, typer.Option(help="Data set: auto, mnist, digits, or a path of pictures (CLASS/NAME.png), IDX, .npz or CSV.")
]
ModelFile = Annotated[
    Path | None,
    typer.Option("--model", help=".keras, .h5 or exported file instead of a run.", callback=check_file),
]
Imports = Annotated[
    list[str] | None,
    typer.Option(
        "--import",
        help="Python module, or .py file, that defines layers of the model of --model; it is run. Repeatable.",
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
