"""Jobs, with a program in place of the board."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mnist_edge_emulators import cache
from mnist_edge_emulators.errors import EmulatorError, UnavailableError
from mnist_edge_emulators.raspberry_pi import jobs
from mnist_edge_emulators.raspberry_pi.boards import BOARDS
from mnist_edge_emulators.raspberry_pi.device import Device

BOARD = next(iter(BOARDS.values()))
IMAGES = np.zeros((40, 28, 28), np.uint8)


class _Shell(Device):
    """A board whose every command is a shell script of this machine; $1 is the job's folder."""

    script = ""

    def command(self, command: Any, *, home: Path, binds: Any = (), **options: Any) -> list[str]:
        return ["sh", "-c", self.script, "sh", *(str(folder) for folder, _ in binds[:1])]


def _board(script: str, folder: Path) -> Device:
    device = _Shell(BOARD, folder, folder)
    object.__setattr__(device, "script", script)
    return device


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "a.tflite"
    file.write_bytes(b"a model")
    return file


def test_a_command_has_its_output_and_its_exit_code(tmp_path: Path) -> None:
    result = jobs.run(_board("echo out; echo err >&2; exit 7", tmp_path), ["ls"])

    assert (result.returncode, result.stdout, result.stderr) == (7, "out\n", "err\n")


def test_a_job_that_fails_is_told_with_its_last_words(tmp_path: Path, file: Path) -> None:
    with pytest.raises(EmulatorError, match=rf"^answers with litert on {BOARD.name} ended with 9: last$"):
        jobs.answers(_board("echo first >&2; echo last >&2; exit 9", tmp_path), "litert", {file: 1}, IMAGES)
    with pytest.raises(EmulatorError, match="ended with 1: it said nothing"):
        jobs.answers(_board("exit 1", tmp_path), "litert", {file: 1}, IMAGES)


def test_instructions_are_the_means_between_marks(tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "plugin", lambda: file)
    found = jobs.instructions(_board('echo 1 200 3 4000 > "$1/counts"', tmp_path), "litert", [file], IMAGES)

    assert found == {file: (20.0, 400.0)}
    with pytest.raises(EmulatorError, match="left 3 marks, expected four for each of 1 files"):
        jobs.instructions(_board('echo 1 2 3 > "$1/counts"', tmp_path), "litert", [file], IMAGES)


def test_without_a_compiler_nothing_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*unused: object, **options: object) -> None:
        raise FileNotFoundError("cc")

    monkeypatch.setattr(cache, "cached", lambda name, make: make(tmp_path))
    monkeypatch.setattr(subprocess, "run", missing)

    with pytest.raises(UnavailableError, match=r"no C compiler \(cc\) is installed"):
        jobs.plugin()
