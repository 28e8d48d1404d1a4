from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import mnist_edge_emulators
import pytest
from mnist_edge_emulators.raspberry_pi.boards import BOARDS

COMMAND = Path(mnist_edge_emulators.__file__).parents[1] / "emulated-pi"


def _emulated_pi(*arguments: str, python: tuple[str, ...] = (), **environment: str) -> subprocess.CompletedProcess[str]:
    command = [*(python or (sys.executable,)), COMMAND, *arguments]
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
        (["pi4", "--"], "no command follows --"),
    ],
)
def test_what_is_not_offered_is_a_usage_error_before_any_board_is_made(
    arguments: list[str], sentence: str, tmp_path: Path
) -> None:
    result = _emulated_pi(*arguments, XDG_CACHE_HOME=str(tmp_path))

    assert result.returncode == 2
    assert result.stderr.startswith(f"emulated-pi: {sentence}")
    assert result.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_a_home_that_is_not_there_is_told(tmp_path: Path) -> None:
    result = _emulated_pi("--home", str(tmp_path / "nohome"), "pi4", "--", "true", XDG_CACHE_HOME=str(tmp_path))

    assert (result.returncode, result.stdout) == (3, "")
    assert "nohome: no such folder; make it, or name another with --home" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_python_without_the_product_gets_one_sentence() -> None:
    without_packages = (sys.executable, "-S")
    result = _emulated_pi("pi4", "--", "true", python=without_packages)

    assert (result.returncode, result.stdout) == (3, "")
    assert result.stderr == (
        f"emulated-pi: mnist_edge_runtime is not installed in this Python ({sys.executable}); activate the environment "
        "that has it, or make one and run `make install` in it\n"
    )


def test_where_packages_are_not_available_it_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    result = _emulated_pi("pi4", "--", "true", XDG_CACHE_HOME=str(tmp_path), PATH="/nowhere")

    assert result.returncode == 69
    assert result.stderr.startswith("emulated-pi: apt's list of sources ")
    assert result.stderr.endswith(": apt-get is not installed; take a machine with Debian\n")
    assert [file for file in tmp_path.rglob("*") if file.is_dir() and file.name.startswith(".")] == []
