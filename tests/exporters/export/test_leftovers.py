from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from mnist_edge_exporters.export import leftovers
from mnist_edge_exporters.export.leftovers import exporting

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such locks")

EXPORTING = """
import sys
from pathlib import Path
from mnist_edge_exporters.export.leftovers import exporting
from mnist_edge_runtime.files import temporary_path

folder = Path(sys.argv[1])
with exporting(folder), temporary_path(folder / "run-tflite-int8.tflite") as temporary:
    temporary.write_bytes(b"half a model")
    print(flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "exports"
    (folder / ".abc123.candidates").mkdir(parents=True)
    (folder / ".abc123.candidates" / "run-tflite-int8.tflite").write_bytes(b"a model")
    for name in (".0123abcd.run-tflite-int8.tflite", ".0123abcd.a.parity.json", "run-tflite-int8.tflite", ".hidden"):
        (folder / name).write_bytes(b"content")
    return folder


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_what_killed_exports_left_is_removed_and_nothing_else(folder: Path) -> None:
    with exporting(folder):
        assert _names(folder) == {"run-tflite-int8.tflite", ".hidden"}


def test_what_another_export_is_writing_stays_until_it_is_killed(folder: Path) -> None:
    command = [sys.executable, "-c", EXPORTING, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout
        other.stdout.readline()
        (writing,) = _names(folder) - {"run-tflite-int8.tflite", ".hidden"}
        with exporting(folder), exporting(folder):
            assert writing in _names(folder)
        os.kill(other.pid, signal.SIGKILL)
    assert writing in _names(folder)
    with exporting(folder):
        assert _names(folder) == {"run-tflite-int8.tflite", ".hidden"}


def test_the_folder_is_made(tmp_path: Path) -> None:
    with exporting(tmp_path / "runs" / "exports"):
        assert _names(tmp_path / "runs") == {"exports"}


def test_what_cannot_be_removed_lets_no_other_export_wait(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(leftovers.shutil, "rmtree", refused)
    monkeypatch.setattr(Path, "unlink", refused)
    with exporting(folder):
        monkeypatch.undo()
        command = [sys.executable, "-c", EXPORTING, str(folder)]
        other = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        assert other.returncode == 0
