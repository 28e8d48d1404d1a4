"""Options of the command line that are made from a table instead of being written out."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import fields
from inspect import Parameter
from typing import Annotated, Any

import typer
from mnist_edge_trainer.recipes import Recipe

__all__ = ["recipe"]


def recipe(command: Callable[..., None]) -> Callable[..., None]:
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
