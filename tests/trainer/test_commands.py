from __future__ import annotations

import inspect
from dataclasses import fields

import pytest
import typer
from mnist_edge_trainer import commands
from mnist_edge_trainer.networks.recipe import Recipe, option
from typer.main import get_command


@pytest.mark.parametrize("command", [commands.train, commands.tune])
def test_each_part_of_a_recipe_is_an_option_that_is_not_chosen_by_default(command: object) -> None:
    app = typer.Typer()
    app.command()(command)  # type: ignore[type-var]
    options = {name: each for each in get_command(app).params for name in each.opts}
    for part in fields(Recipe):
        assert options[option(part.name)].default is None


@pytest.mark.parametrize("command", [commands.train, commands.tune])
def test_each_help_is_one_sentence_and_then_the_default(command: object) -> None:
    for parameter in inspect.signature(command).parameters.values():  # type: ignore[arg-type]
        (option,) = (each for each in parameter.annotation.__metadata__ if hasattr(each, "help"))
        sentence, _, default = option.help.partition(" (default: ")
        assert sentence[0].isupper()
        assert sentence.endswith(".")
        assert not default or default.endswith(")")
