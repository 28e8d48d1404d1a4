"""Options that several commands share, those made from the table of a recipe's parts, and what `--json` does."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from inspect import Parameter
from pathlib import Path
from typing import Annotated, Any

import typer
from mnist_edge_trainer.recipes import Recipe

__all__ = [
    "AsJson",
    "Augment",
    "Data",
    "FilesRun",
    "OwnModel",
    "RunData",
    "RunName",
    "RunsDir",
    "Storage",
    "Targets",
    "Tolerances",
    "recipe_options",
    "show",
]

RunsDir = Annotated[Path, typer.Option(help="The folder of all runs.")]
Data = Annotated[str, typer.Option(help="auto, mnist, digits, a folder of pictures (CLASS/NAME.png) or of IDX.")]
RunName = Annotated[str | None, typer.Option("--run", help="The run, by its name. (default: the latest)")]
FilesRun = Annotated[
    str | None, typer.Option("--run", help="The run it came from. (default: its folder's, or the latest)")
]
OwnModel = Annotated[
    Path | None, typer.Option("--model", help="A .keras file instead of a run; its exports lie beside it.")
]
RunData = Annotated[str | None, typer.Option("--data", help="Where the run's data is now; for --model: its data.")]
Targets = Annotated[list[str] | None, typer.Option("--target-runtime", help="ENGINE or ENGINE==VERSION; repeatable.")]
Tolerances = Annotated[list[str] | None, typer.Option(help="NAME=NUMBER in place of the table's; repeatable.")]
Augment = Annotated[str | None, typer.Option(help="none, light or strong. (default: the recipe's)")]
Storage = Annotated[
    str | None,
    typer.Option(help="A database for studies, as postgresql://USER@HOST/DATABASE. (default: a journal file)"),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout and nothing else.")]


def recipe_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command an option for each part of a recipe in place of its `**` parameter; None is what nobody chose."""
    signature = inspect.signature(command, eval_str=True)
    parameters = [each for each in signature.parameters.values() if each.kind is not Parameter.VAR_KEYWORD]
    for part in fields(Recipe):
        kind: Any = {"int": int | None, "float": float | None}[str(part.type)]
        option = typer.Option(help=part.metadata["help"], show_default=False, rich_help_panel="Parts of the recipe")
        annotation: Any = Annotated[kind, option]
        parameters.append(Parameter(part.name, Parameter.KEYWORD_ONLY, default=None, annotation=annotation))
    command.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    return command


def show(as_json: bool, document: Mapping[str, Any], text: str) -> None:
    """Print the one or the other on stdout."""
    print(json.dumps(document, allow_nan=False) if as_json else text)
