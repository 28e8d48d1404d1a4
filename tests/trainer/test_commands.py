"""`mnist-edge train` and `tune`, as a person runs them."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import typer
from mnist_edge_trainer import commands
from mnist_edge_trainer.networks.recipe import Recipe, option
from typer.main import get_command

MnistEdge = Callable[..., CompletedProcess[str]]


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


@pytest.mark.long
def test_every_part_of_a_recipe_is_an_option(mnist_edge: MnistEdge, tmp_path: Path) -> None:
    chosen = {"epochs": 2, "ema": 0.3, "shift": 1.5, "variants": 2, "photometric": 0.0}
    options = [word for part, value in chosen.items() for word in (f"--{part}", value)]
    mnist_edge("train", "--data", "digits", "--fast", "--name", "teacher", "--epochs", 1, cwd=tmp_path)
    learning = ["--augment", "light", "--teacher", "teacher", "--tensorboard", "logs", "--resume"]
    trained = mnist_edge("train", "--arch", "nano", "--data", "digits", *learning, *options, "--json", cwd=tmp_path)
    record = json.loads(trained.stdout)
    assert {**record["recipe"], **chosen, "rotation": 12.0} == record["recipe"]
    assert record["teachers"][0]["name"] == "teacher"
    assert json.loads((tmp_path / "runs/teacher/run.json").read_text())["architecture"] == "small"
    assert list((tmp_path / "logs").rglob("events.out.tfevents.*"))
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == ["latest", "nano", "teacher"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ("train --arch resnet", 2, "--arch resnet is unknown; choose from classic"),
        ("train --epochs 0", 2, "--epochs is 0, expected 1 to"),
        ("train --label-smoothing 1.5", 2, "--label-smoothing is 1.5, expected 0 to 0.9"),
        ("train --augment wild", 2, "--augment wild is unknown; choose from none, light, strong"),
        ("train --teacher nobody --data digits", 3, "--teacher nobody: is no published network"),
        ("train --epochs many", 2, "--epochs"),
        ("train --handwriting 1", 2, "--handwriting is 1.0, expected 0 to 0.9"),
        ("train --name ../up", 2, "cannot name a run"),
        ("train --data nowhere", 3, "nowhere: no such file or folder"),
        ("train --from-study lost", 3, "runs/studies: no study 'lost'; none is there yet; begin one with"),
        ("train --from-study small:x", 2, "expected STUDY or STUDY:TRIAL"),
        ("train --from-study small --fast", 2, "exclude each other"),
        ("train --storage sqlite:///x.db", 2, "--storage is the database of --from-study"),
        ("train --from small", 2, "--from fine-tunes a network on own pictures; name their folder with --also DIR"),
        ("train --also own", 2, "--also adds own pictures to a trained network; name it with --from"),
        ("train --from small --also own --arch base", 2, "--from and --arch exclude each other"),
        ("train --from small --also own --epochs 3", 2, "--from and --epochs exclude each other"),
        ("train --from small --also own --resume", 2, "--from and --resume exclude each other"),
        ("train --from small --also own --seed -1", 2, "--seed is -1, expected 0 to"),
        ("train --from small --also own --name ../up", 2, "cannot name a run"),
        ("train --from nobody --also own", 3, "--from nobody: is no published network (base, small, tiny, nano, pico)"),
        ("train --from small --also own --data digits", 3, "own: no such folder; --also takes a folder of your own"),
        ("tune --arch resnet", 2, "--arch resnet is unknown"),
        ("tune --trials 0", 2, "--trials is 0, expected 1 to"),
        ("tune --dropout 2", 2, "--dropout is 2.0, expected 0 to 0.9"),
        ("tune --objectives accuracy,watt", 2, "--objectives: 'watt' is unknown"),
        ("tune --study ../up", 2, "cannot name a study"),
        ("tune --storage nowhere --data digits", 2, "expected a URL such as postgresql://"),
    ],
)
def test_mistakes_get_a_sentence_and_a_code(
    arguments: str, code: int, message: str, mistake: Callable[..., None]
) -> None:
    mistake(arguments, code, message)
