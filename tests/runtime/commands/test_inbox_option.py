"""--inbox of `serve` and `watch`: where it cannot be, the command ends with a sentence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def run(*arguments: str | Path) -> tuple[int, str]:
    command = [sys.executable, "-m", "mnist_edge_runtime", *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120)
    return result.returncode, result.stderr


@pytest.mark.parametrize("command", [("serve", "--port", "0"), ("watch", "--source", ".")])
def test_a_file_is_no_inbox(command: tuple[str, ...], tmp_path: Path) -> None:
    (file := tmp_path / "file").touch()
    code, err = run(*command, "--network", "small", "--inbox", file)
    assert (code, err.splitlines()[-1]) == (3, f"error: {file}: is a file, expected a folder; name another one")
    assert run(*command, "--network", "small", "--inbox", "")[0] == 2


def test_folders_that_are_watched_need_none(tmp_path: Path) -> None:
    code, err = run("watch", tmp_path, "--inbox", tmp_path / "box")
    assert code == 2
    assert "--inbox is for frames of a camera; leave out the folders" in err
    assert not (tmp_path / "box").exists()
