from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Invoke = Callable[..., tuple[int, str, str]]
Refused = Callable[[tuple[int, str, str], int], str]
WritePicture = Callable[..., tuple[Path, str]]


def test_a_document_without_end_is_not_offered(invoke: Invoke, tmp_path: Path) -> None:
    code, out, err = invoke("watch", "--model", "none.tflite", "--json", tmp_path)

    assert (code, out) == (2, "")
    assert "--json" in err


@pytest.mark.parametrize("name", ["a.png", "-"])
def test_only_folders_are_watched(invoke: Invoke, refused: Refused, tmp_path: Path, name: str) -> None:
    assert f"{name}: there is no such folder; name a folder" in refused(invoke("watch", tmp_path, name), 3)
    (tmp_path / "a.png").write_bytes(b"")
    assert "a.png: is no folder" in refused(invoke("watch", tmp_path / "a.png"), 3)


def test_a_folder_that_goes_is_waited_for(tmp_path: Path, tflite_file: Path, picture: WritePicture) -> None:
    file, label = picture(tflite_file)
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    child = _start("--model", tflite_file, inbox)
    assert child.stderr
    assert child.stdout
    (inbox / "first.pgm").write_bytes(file.read_bytes())
    assert child.stdout.readline().decode().startswith(f"{inbox}/first.pgm: {label}  ")
    (inbox / "first.pgm").unlink()
    inbox.rmdir()
    expected = f"error: {inbox}: No such file or directory; it is watched again when it is back\n"
    assert child.stderr.readline().decode() == expected
    inbox.mkdir()
    (inbox / "digit.pgm").write_bytes(file.read_bytes())
    assert child.stdout.readline().decode().startswith(f"{inbox}/digit.pgm: {label}  ")
    assert child.stderr.readline().decode() == f"{inbox}: is back, and watched\n"
    (inbox / "letter").write_bytes(b"%PDF-1.7\n")
    assert child.stderr.readline().decode() == f"{inbox}: left out, no pictures: 1 PDF\n"

    child.terminate()

    assert child.communicate(timeout=60) == (b"", b"")
    assert child.returncode == 0


@pytest.mark.parametrize(
    ("form", "line"), [((), "{file}: {label}  "), (("--csv",), "{file},{label},"), (("--jsonl",), '{{"file": "{file}"')]
)
def test_a_service_answers_each_picture_and_ends_with_what_it_could_not_read(
    tmp_path: Path, tflite_file: Path, picture: WritePicture, form: tuple[str, ...], line: str
) -> None:
    file, label = picture(tflite_file)
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / "bad.png").write_bytes(b"no picture")
    child = _start(*form, "--model", tflite_file, inbox)
    assert child.stderr
    assert child.stderr.readline().startswith(f"error: {inbox}/bad.png: not a picture".encode())
    (inbox / "good.pgm").write_bytes(file.read_bytes())
    assert child.stdout
    expected = line.format(file=inbox / "good.pgm", label=label)
    assert any(answer.decode().startswith(expected) for answer in child.stdout)

    child.terminate()

    assert child.communicate(timeout=60)[1] == b""
    assert child.returncode == 3


def _start(*arguments: str | Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "mnist_edge_runtime", "watch", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_service_answers_immediately_and_ends_cleanly(
    tmp_path: Path, tflite_file: Path, picture: WritePicture, number: signal.Signals
) -> None:
    file, label = picture(tflite_file)
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    child = _start("--model", tflite_file, "--jsonl", inbox)
    assert child.stdout
    for name in ("one.pgm", "two.pgm"):
        (inbox / name).write_bytes(file.read_bytes())
        answer = json.loads(child.stdout.readline())
        assert (answer["file"], answer["label"]) == (str(inbox / name), label)

    child.send_signal(number)
    out, err = child.communicate(timeout=60)

    assert (child.returncode, out, err) == (0, b"", b"")
