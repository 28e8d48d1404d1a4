from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from mnist_edge_emulators.raspberry_pi import packages
from mnist_edge_emulators.raspberry_pi.boards import BOARDS
from mnist_edge_emulators.raspberry_pi.errors import UnavailableError

COMMAND = Path(packages.__file__).parents[1] / "emulated-pi"


def _emulated_pi(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, COMMAND, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=60)


def test_the_boards_are_listed() -> None:
    result = _emulated_pi("--list")

    assert result.returncode == 0, result.stderr
    assert [line.split()[0] for line in result.stdout.splitlines()] == list(BOARDS)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["pi9", "--", "true"], "there is no board 'pi9'; choose from pi4, "),
        (["--", "true"], "name a board; --list lists them"),
        (["pi4", "--"], "-- is followed by no command"),
    ],
)
def test_what_is_not_offered_is_a_usage_error(arguments: list[str], sentence: str) -> None:
    result = _emulated_pi(*arguments)

    assert result.returncode == 2
    assert result.stderr.startswith(f"emulated-pi: {sentence}")
    assert result.stdout == ""


def test_where_packages_cannot_be_had_it_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    result = _emulated_pi("pi4", "--", "true", XDG_CACHE_HOME=str(tmp_path), PATH="/nowhere")

    assert result.returncode == 69
    assert (
        result.stderr
        == "emulated-pi: apt's list of sources cannot be had: apt-get is not installed; take a machine with Debian\n"
    )
    assert [file for file in tmp_path.rglob("*") if file.is_dir() and file.name.startswith(".")] == []


def test_packages_that_there_are_not_cannot_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # An index of this test's own, so that no registry is asked.
    for variable in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_INDEX_URL"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    board = replace(BOARDS["pi4"], wheels=("numpy==0.0.1",))

    with pytest.raises(UnavailableError, match=r"^the wheels numpy==0.0.1 cannot be had: ERROR: Could not find"):
        packages.wheels(board, tmp_path)


def test_another_recipe_is_another_folder() -> None:
    board = BOARDS["pi4"]
    assert board.folder == replace(board).folder
    assert board.folder.startswith("pi4-")
    assert replace(board, wheels=("numpy==2.0.0",)).folder != board.folder
    assert len({each.folder for each in BOARDS.values()}) == len(BOARDS)
