"""The streams of `classify`, as a person or a service uses them; tests/runtime/test_main.py has its plain use."""

from __future__ import annotations

import csv
import io
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest
from mnist_edge_runtime.__main__ import main
from mnist_edge_runtime.model_file import sealed_model

WritePicture = Callable[..., tuple[Path, str]]

MEMORY = Path("/proc/self/status")


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    def give(data: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))

    return give


def _start(*arguments: str | Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "mnist_edge_runtime", "classify", *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def _pipes(child: subprocess.Popen[bytes]) -> tuple[IO[bytes], IO[bytes]]:
    assert child.stdin
    assert child.stdout
    return child.stdin, child.stdout


def test_pictures_on_stdin(
    capsys: pytest.CaptureFixture[str], tflite_file: Path, picture: WritePicture, stdin: Callable[[bytes], None]
) -> None:
    file, label = picture(tflite_file)
    stdin(file.read_bytes() * 2)

    assert main(["classify", "--model", str(tflite_file), "-"]) == 0
    assert [line.split("  ")[0] for line in capsys.readouterr().out.splitlines()] == [f"-:1: {label}", f"-:2: {label}"]


def test_json_lines_with_a_bad_one(
    capsys: pytest.CaptureFixture[str], tflite_file: Path, picture: WritePicture, stdin: Callable[[bytes], None]
) -> None:
    file, label = picture(tflite_file)
    good = json.dumps({"file": str(file)})
    stdin(f"{good}\nrubbish\n{good}\n".encode())

    assert main(["classify", "--model", str(tflite_file), "--jsonl", "-"]) == 3
    out, err = capsys.readouterr()
    first, bad, last = (json.loads(line) for line in out.splitlines())
    assert first == last
    assert (first["file"], first["label"], len(first["probabilities"])) == (str(file), label, 10)
    assert set(bad) == {"file", "error"}
    assert bad["error"] in err


def test_csv_of_a_folder(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, tflite_file: Path, picture: WritePicture
) -> None:
    file, label = picture(tflite_file, 'a "quoted", name.pgm')
    (tmp_path / "z.png").write_bytes(b"no picture")

    assert main(["classify", "--model", str(tflite_file), "--csv", str(tmp_path)]) == 3
    good, bad = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (good["file"], good["label"], good["accepted"], good["error"]) == (str(file), label, "true", "")
    assert 0.1 < float(good["confidence"]) <= 1
    assert (bad["file"], bad["label"]) == (str(tmp_path / "z.png"), "")
    assert "not a picture" in bad["error"]


@pytest.mark.parametrize("options", [["--json", "--watch"], ["--recursive", "--watch", "--json"]])
def test_a_document_without_end_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, options: list[str]
) -> None:
    assert main(["classify", "--model", "none.tflite", *options, str(tmp_path)]) == 2
    assert "take --jsonl" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_service_answers_at_once_and_ends_cleanly(
    tmp_path: Path, tflite_file: Path, picture: WritePicture, number: signal.Signals
) -> None:
    file, label = picture(tflite_file)
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    child = _start("--model", tflite_file, "--jsonl", "--watch", inbox)
    _, answers = _pipes(child)
    for name in ("one.pgm", "two.pgm"):
        (inbox / name).write_bytes(file.read_bytes())
        answer = json.loads(answers.readline())
        assert (answer["file"], answer["label"]) == (str(inbox / name), label)

    child.send_signal(number)
    out, err = child.communicate(timeout=20)

    assert (child.returncode, out, err) == (0, b"", b"")


def test_a_reader_that_has_enough_ends_it_quietly(tflite_file: Path, picture: WritePicture) -> None:
    file, _ = picture(tflite_file)
    child = _start("--model", tflite_file, "--csv", "-")
    pictures, answers = _pipes(child)
    answers.readline()
    answers.close()
    pictures.write(file.read_bytes())
    pictures.close()

    assert child.wait(timeout=20) == 128 + signal.SIGPIPE
    assert child.stderr
    assert child.stderr.read() == b""


@pytest.mark.skipif(not MEMORY.exists(), reason="memory is read from Linux's /proc")
@pytest.mark.parametrize("form", ["--jsonl", "--json"])
def test_memory_does_not_grow_with_the_number_of_pictures(tflite_file: Path, form: str) -> None:
    digit = sealed_model.read(tflite_file).golden.images[0]
    picture = b"P5 28 28 255\n" + digit.tobytes()
    child = _start("--model", tflite_file, form, "-")
    pictures, answers = _pipes(child)

    def answered(count: int) -> int:
        """Send the picture so many times, read as many answers, and return the memory held then, in KiB."""
        for _ in range(count):
            pictures.write(picture)
            pictures.flush()
            answer = b""
            while not answer.rstrip().endswith(b"}"):
                answer += answers.read1()  # type: ignore[attr-defined]
        status = Path(f"/proc/{child.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))

    before, after = answered(500), answered(3000)
    child.communicate(timeout=20)

    assert child.returncode == 0
    assert after - before < 512
