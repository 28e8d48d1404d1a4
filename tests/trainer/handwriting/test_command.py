"""`mnist-edge draw`, as a person runs it."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from mnist_edge_trainer.handwriting.command import draw

MnistEdge = Callable[..., subprocess.CompletedProcess[str]]


def test_each_help_is_one_sentence_and_then_the_default() -> None:
    for parameter in inspect.signature(draw, eval_str=True).parameters.values():
        (option,) = parameter.annotation.__metadata__
        sentence, _, default = option.help.partition(" (default: ")
        assert sentence[0].isupper()
        assert sentence.endswith(".")
        assert not default or default.endswith(")")


def test_sheets_and_pictures(mnist_edge: MnistEdge, tmp_path: Path) -> None:
    found = mnist_edge("draw", "4", "--count", 1, cwd=tmp_path)
    assert found.stdout.splitlines()[1:] == ["  handwriting/4.png"]
    assert "digits in" in found.stdout
    assert found.stderr == ""
    arguments = ("9", "4", "9", "--count", 2, "--seed", 8, "--held-out", "--pictures", "--out", "mine", "--json")
    document = json.loads(mnist_edge("draw", *arguments, cwd=tmp_path).stdout)
    assert [document[key] for key in ("digits", "styles", "seed", "held_out")] == [["4", "9"], 4, 8, True]
    assert len(document["files"]) == 8
    assert all((tmp_path / file).is_file() for file in document["files"])


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ("draw 12", 2, "'12' is not a digit; choose from 0 1 2 3 4 5 6 7 8 9"),
        ("draw --count 0", 2, "--count is 0, expected 1 to 1000"),
        ("draw --seed 4294967296", 2, "--seed is 4294967296, expected 0 to 4294967295"),
    ],
)
def test_mistakes_get_a_sentence_and_a_code(
    arguments: str, code: int, message: str, mistake: Callable[..., None]
) -> None:
    mistake(arguments, code, message)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    words = ["draw", "1", "--count", "1", "--out", "file/x"]
    ended = subprocess.run(
        [sys.executable, "-m", "mnist_edge.cli", *words], cwd=tmp_path, capture_output=True, text=True
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (3, "", "error: file/x: Not a directory\n")
