from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import typer
from mnist_edge.cli import app

SCRIPT = Path(__file__).resolve().parent.parent / "scripts" / "cli_page.py"


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("cli_page", SCRIPT)
    assert spec
    assert spec.loader
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


cli_page = _load()
COMMANDS = [*cli_page.workstation(), *cli_page.device()]


def test_the_page_is_up_to_date() -> None:
    assert cli_page.PAGE.read_text(encoding="utf-8") == cli_page.page(), "run python scripts/cli_page.py"


@pytest.mark.parametrize("command", COMMANDS, ids=[command.name.replace(" ", "-") for command in COMMANDS])
def test_each_command_and_option_has_a_help_of_whole_sentences(command: Any) -> None:
    for text in (command.summary, *(text for _, text in command.parameters)):
        sentence = text.partition(" (default: ")[0]
        assert sentence[:1] == sentence[:1].upper() != ""
        assert sentence.rstrip(")").endswith(".")


def test_the_page_names_every_option_that_help_shows() -> None:
    """What --help prints is typer's own view of the commands."""
    documented = {command.name: command for command in COMMANDS}
    group: Any = typer.main.get_command(app)
    for name, command in group.commands.items():
        if f"mnist-edge {name}" in documented:
            written = " ".join(each for each, _ in documented[f"mnist-edge {name}"].parameters)
            options = {option for each in command.params for option in each.opts if option.startswith("--")}
            assert [option for option in options - {"--help"} if option not in written.replace(",", "").split()] == []
