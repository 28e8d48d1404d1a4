from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO

import pytest
from mnist_edge_runtime.service.stability import STABLE

Invoke = Callable[..., tuple[int, str, str]]
Refused = Callable[[tuple[int, str, str], int], str]
WritePicture = Callable[..., tuple[Path, str]]


def test_a_document_without_end_is_not_offered(invoke: Invoke, tmp_path: Path) -> None:
    code, out, err = invoke("watch", "--model", "none.tflite", "--json", tmp_path)

    assert (code, out) == (2, "")
    assert "--json" in err


@pytest.mark.parametrize("name", ["a.png", "-"])
def test_only_folders_are_watched(invoke: Invoke, refused: Refused, tmp_path: Path, name: str) -> None:
    wanted = "name a folder into which pictures come, or a --source of frames"
    assert f"{name}: there is no such folder; {wanted}" in refused(invoke("watch", tmp_path, name), 3)
    (tmp_path / "a.png").write_bytes(b"")
    assert f"a.png: is no folder; {wanted}" in refused(invoke("watch", tmp_path / "a.png"), 3)
    (tmp_path / "b.pgm").write_bytes(b"P5 1 1 255\n0")
    told = "b.pgm: is no folder but one picture, which the commands read and classify answer; "
    assert told + wanted in refused(invoke("watch", tmp_path / "b.pgm"), 3)


@pytest.mark.long
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


@pytest.fixture
def film(number_jpeg: Callable[..., bytes], tmp_path: Path) -> Path:
    """Frames in a folder: blank paper, 42, 43, and 41."""
    folder = tmp_path / "film"
    folder.mkdir()
    shown = [number for number in ("", "42", "43", "41") for _ in range(2 * STABLE)]
    for place, number in enumerate(shown):
        (folder / f"{place:03}.jpg").write_bytes(number_jpeg(number))
    return folder


def _texts(out: str) -> list[str]:
    return [line.partition(": ")[2].split("  each at least")[0] for line in out.splitlines()]


def test_the_frames_of_a_folder_are_read_and_each_change_is_printed(invoke: Invoke, film: Path) -> None:
    code, out, err = invoke("watch", "--source", film)

    assert code == 0
    assert _texts(out) == ["unsure  no digit is in view", "42", "43", "41"]
    assert out.splitlines()[1].startswith(f"frame {3 * STABLE}: 42  each at least ")
    assert err.endswith(f"{film}: {8 * STABLE} frames, 0 dropped, 0 damaged\n")


def test_readings_as_json_lines_with_rules(invoke: Invoke, film: Path) -> None:
    code, out, _ = invoke("watch", "--source", film, "--jsonl", "--expect", "2", "--rising", "--region", "0,0.2,1,0.7")

    found = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [(each["text"], each["accepted"], each["reason"]) for each in found] == [
        ("", False, "no digit is in view"),
        ("42", True, None),
        ("43", True, None),
        ("41", False, "it falls: the last accepted reading is 43"),
    ]
    assert [each["frame"] for each in found] == [2 * STABLE, 3 * STABLE, 5 * STABLE, 7 * STABLE]
    assert all(150 <= digit["box"][1] <= 200 for each in found for digit in each["digits"])


def test_every_so_many_seconds_a_line_is_printed_also_without_a_change(invoke: Invoke, film: Path) -> None:
    code, often, _ = invoke("watch", "--source", film, "--every", "0.000001")
    assert (code, len(often.splitlines())) == (0, 6 * STABLE + 1)

    _, rarely, _ = invoke("watch", "--source", film, "--every", "3600")

    assert _texts(rarely) == ["unsure  no digit is in view"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--source", "-", "FOLDER"), "--source is for frames of a camera; leave out the folders"),
        (("--every", "3", "FOLDER"), "--every is for frames of a camera"),
        (("--rising", "FOLDER"), "--rising is for frames of a camera"),
        (("--recursive",), "--recursive is for folders, and none is named"),
        (("--preprocess", "none"), "--preprocess is for folders"),
        (("--no-verify", "--model", "a.onnx"), "--no-verify is for folders"),
        (("--csv", "--source", "-"), "--csv is for folders, and none is named; --jsonl"),
        (("--every", "0"), "'0' is no number of seconds above 0"),
        (("--every", "nan"), "'nan' is no number of seconds above 0"),
        (("--expect", "0"), "'0' is no number of digits from 1 to 40"),
        (("--region", "1,2,3"), "'1,2,3' is not X,Y,W,H, four numbers"),
        (("--region", "-5,0,10,10"), "'-5,0,10,10': X and Y are at least 0, W and H more"),
        (("--every", "-.5s"), "'-.5s' is no number of seconds above 0"),
        (("--source", "-film"), "write --source=-film for a value that begins with -"),
        (("--source", "--rising"), "argument --source: expected one argument (see"),
    ],
)
def test_combinations_that_make_no_sense_are_refused(
    invoke: Invoke, refused: Refused, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    given = [str(tmp_path) if each == "FOLDER" else each for each in arguments]

    assert message in refused(invoke("watch", *given), 2)


def test_frames_that_cannot_be_read_are_told(invoke: Invoke, tmp_path: Path, film: Path) -> None:
    code, out, err = invoke("watch", "--source", film, "--region", "600,0,100,100")
    assert (code, out) == (3, "")
    assert err.endswith("error: the region 600,0,100,100 is not inside the frame, which has 640 x 480 pixels\n")

    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / "a.jpg").write_bytes(b"no picture")
    code, out, err = invoke("watch", "--source", bad)

    assert (code, out) == (3, "")
    assert f"frame 1 is left out: {bad}/a.jpg: not a picture" in err
    assert err.endswith(f"error: {bad}: none of its frames can be read\n")


@pytest.mark.long
def test_a_camera_that_dies_is_started_again_until_stopped(
    tmp_path: Path, number_jpeg: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stand-in for a Pi's camera program: it ends after 42, and its second start shows 43 for ever."""
    for number in ("42", "43"):
        (tmp_path / f"{number}.jpg").write_bytes(number_jpeg(number))
    program = tmp_path / "rpicam-vid"
    program.write_text(
        f"#!/bin/sh\ncd {tmp_path}\n"
        f"if mkdir begun; then for i in $(seq {40 * STABLE}); do cat 42.jpg; sleep 0.01; done; exit 3; fi\n"
        "echo unplugged >&2; while cat 43.jpg; do sleep 0.01; done\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    child = _start("--jsonl")
    assert child.stdout
    assert child.stderr

    assert [json.loads(child.stdout.readline())["text"] for _ in range(2)] == ["42", "43"]
    child.send_signal(signal.SIGTERM)
    out, err = child.communicate(timeout=60)

    assert (child.returncode, out) == (0, b"")
    told = err.decode().splitlines()
    assert "rpicam-vid ended with exit code 3; it is started again in 1 s" in told
    assert re.fullmatch(r"rpicam-vid: [\d,]+ frames, [\d,]+ dropped, 0 damaged", told[-1])


def test_jpegs_on_stdin_are_read_while_they_come(tmp_path: Path, number_jpeg: Callable[..., bytes]) -> None:
    command = [sys.executable, "-m", "mnist_edge_runtime", "watch", "--source", "-", "--jsonl"]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert child.stdin
    assert child.stdout
    with child.stdin as stdin:
        sender = threading.Thread(target=_send, args=(stdin, number_jpeg("7")))
        sender.start()
        found = json.loads(child.stdout.readline())
        child.send_signal(signal.SIGINT)
        sender.join()

    assert (found["text"], found["accepted"]) == ("7", True)
    assert child.wait(60) == 0


def _send(stream: IO[bytes], jpeg: bytes) -> None:
    with contextlib.suppress(BrokenPipeError):
        while True:
            stream.write(jpeg)
            stream.flush()


def test_of_a_pipe_no_frame_is_dropped_and_too_few_are_told(film: Path) -> None:
    """As `cat film/*.jpg | mnist-edge-runtime watch --source -` sends them: faster than they are read."""
    files = sorted(film.iterdir())
    command = [sys.executable, "-m", "mnist_edge_runtime", "watch", "--source", "-"]

    sent = b"".join(file.read_bytes() for file in files)
    result = subprocess.run(command, input=sent, capture_output=True, check=False, timeout=60)

    assert (result.returncode, _texts(result.stdout.decode())) == (0, ["unsure  no digit is in view", "42", "43", "41"])
    assert result.stderr.decode().endswith(f"stdin: {8 * STABLE} frames, 0 dropped, 0 damaged\n")

    few = b"".join(file.read_bytes() for file in files[-STABLE + 1 :])
    result = subprocess.run(command, input=few, capture_output=True, check=False, timeout=60)

    assert (result.returncode, result.stdout) == (3, b"")
    told = f"error: stdin: {STABLE - 1} frames (the last shows 41) give no reading: {STABLE} in a row must agree; "
    assert told in result.stderr.decode()


def test_an_empty_stdin_is_told(device: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    result = device("watch", "--source", "-", stdin=subprocess.DEVNULL)

    assert (result.returncode, result.stdout) == (3, "")
    assert result.stderr.endswith("error: stdin: no frame came\n")
