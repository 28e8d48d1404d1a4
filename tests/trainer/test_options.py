from pathlib import Path
from typing import Annotated

import click
import pytest
import typer
from mnist_edge_runtime.errors import UsageError
from mnist_edge_trainer import options
from mnist_edge_trainer.options import StrictCommand


def completed(folder: Path, incomplete: str) -> list[str]:
    context = click.Context(click.Command("export"))
    context.params["runs_dir"] = folder
    return options.complete_run(context, incomplete)  # type: ignore[arg-type]


def test_names_of_runs_complete(tmp_path: Path) -> None:
    for name in ("classic", "classic-2", "small", ".classic.0123456789abcdef"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").write_text("{}")
    (tmp_path / "studies").mkdir()
    assert completed(tmp_path, "") == ["classic", "classic-2", "small"]
    assert completed(tmp_path, "cl") == ["classic", "classic-2"]
    assert completed(tmp_path / "nowhere", "") == []


def test_published_networks_complete_before_runs(tmp_path: Path) -> None:
    (tmp_path / "small-own").mkdir()
    (tmp_path / "small-own" / "run.json").write_text("{}")
    context = click.Context(click.Command("train"))
    context.params["runs_dir"] = tmp_path
    assert options.complete_start(context, "s") == ["small", "small-own"]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "words", [["--folder", "--help"], ["--folder", "--json"], ["--name", "--"], ["--folder", "a", "--name", "--folder"]]
)
def test_an_option_is_no_value_of_another_one(words: list[str]) -> None:
    app = typer.Typer()
    found: list[object] = []

    @app.command(cls=StrictCommand)
    def command(
        folder: Path | None = None, name: str | None = None, as_json: Annotated[bool, typer.Option("--json")] = False
    ) -> None:
        found.append((folder, name, as_json))

    with pytest.raises(UsageError, match=rf"{words[-2]} needs a value, and {words[-1]} is none"):
        app(words, standalone_mode=False)
    app(["--folder=--help", "--name", "-1..1", "--json"], standalone_mode=False)
    assert found == [(Path("--help"), "-1..1", True)]


def test_a_next_command_finds_what_this_one_made() -> None:
    assert options.repeated(Path("runs")) == ""
    assert options.repeated(Path("my runs"), "sqlite:///a b") == " --storage 'sqlite:///a b' --runs-dir 'my runs'"
