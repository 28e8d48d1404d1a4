from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path
from typing import Any

import pytest

FILE = Path(__file__).parents[2] / "benchmarks" / "own_environment.py"
_SPEC = importlib.util.spec_from_file_location("own_environment", FILE)
assert _SPEC
assert _SPEC.loader
own_environment = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(own_environment)


def test_an_environment_is_made_once_and_again_for_other_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []

    def run(command: list[Any], **_: Any) -> None:
        commands.append(list(map(str, command)))
        folder.mkdir(exist_ok=True)

    folder = tmp_path / "environment"
    monkeypatch.setattr(subprocess, "run", run)

    python = own_environment.make(folder, ["one==1"], ["two==2"])

    assert python == folder / "bin" / "python"
    assert [command[2] for command in commands] == ["venv", "pip", "pip"]
    assert commands[1][-1] == "one==1"
    assert commands[2][-2:] == ["--no-deps", "two==2"]
    own_environment.make(folder, ["one==1"], ["two==2"])
    assert len(commands) == 3
    own_environment.make(folder, ["one==2"], ["two==2"])
    assert len(commands) == 6


def test_an_installation_that_failed_is_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "environment"
    folder.mkdir()

    def run(command: list[Any], **_: Any) -> None:
        raise subprocess.CalledProcessError(1, command)

    monkeypatch.setattr(subprocess, "run", run)
    for _ in range(2):
        with pytest.raises(subprocess.CalledProcessError):
            own_environment.make(folder, ["one==1"])
