from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from mnist_edge_runtime import InputError, UsageError, command_line
from mnist_edge_runtime.models import bundled_models
from mnist_edge_runtime.preprocessing.image_io import save_picture


def _raise(error: BaseException) -> int:
    raise error


@pytest.mark.parametrize(
    ("error", "code", "printed"),
    [
        (InputError("a.png: bad"), 3, "error: a.png: bad\n"),
        (UsageError("no such option"), 2, "error: no such option (see program command --help)\n"),
        (InputError("\x1b[2Ja\u202e.png"), 3, "error: \\x1b[2Ja\\u202e.png\n"),
        (InputError("two:", "a", "b"), 3, "error: two:\n  a\n  b\n"),
        (InputError("a\nerror: b.png", "c\nd"), 3, "error: a\\nerror: b.png\n  c\\nd\n"),
        (OSError(2, "No such file", "a\nb"), 3, "error: a\\nb: No such file\n"),
        (KeyError("x"), 1, "error: internal error: KeyError: "),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_an_error_is_a_line_and_a_code(
    error: BaseException, code: int, printed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_line.run(lambda: _raise(error), "program command", debug=False) == code
    err = capsys.readouterr().err
    assert err.startswith(printed)
    assert bool(err) == bool(printed)
    assert "Traceback" not in err


def test_an_error_can_be_worded(capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.run(lambda: _raise(ValueError("x")), "p", debug=False, worded=lambda e: InputError("y")) == 3
    assert capsys.readouterr().err == "error: y\n"


def test_debug_shows_where(capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.run(lambda: _raise(InputError("x")), "p", debug=True) == 3
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.long
@pytest.mark.parametrize(
    ("command", "code", "message"),
    [
        ("inspect >&-", 3, "error: stdout is closed; leave it open, or send it into a file"),
        ("inspect --json >&-", 3, "error: stdout is closed"),
        ("classify - <&-", 3, "error: stdin is closed; send pictures to it, or name files"),
        ("inspect > /dev/full", 3, "error: No space left on device; make room and repeat the command"),
        ("inspect --json > /dev/full", 3, "error: No space left on device"),
        ("doctor | true", 0, ""),
        ("inspect 2>&-", 0, ""),
    ],
)
def test_streams_that_are_closed_or_full(command: str, code: int, message: str) -> None:
    shell = f"{sys.executable} -m mnist_edge_runtime {command}"
    result = subprocess.run(["/bin/sh", "-c", shell], capture_output=True, text=True, check=False, timeout=120)
    assert result.returncode == code
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert "Exception ignored" not in result.stderr


DIGIT = np.zeros((28, 28), np.uint8)
DIGIT[4:24, 13:16] = 255
ANSWERS = {
    "classify one.png": 1,
    "classify --jsonl one.png bad.png one.png": 3,
    "classify --json one.png": 1,
    "classify --csv one.png bad.png": 3,
    "classify .": 1,
    "read one.png": 1,
    "inspect": 11,
    "selftest": 1,
    "doctor": 4,
}


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    save_picture(DIGIT, tmp_path / "one.png")
    (tmp_path / "bad.png").write_bytes(b"no picture")
    (tmp_path / "text.txt").write_text("left out")
    return tmp_path


def _shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    line = f"exec {sys.executable} -m mnist_edge_runtime {command}"
    return subprocess.run(["/bin/sh", "-c", line], cwd=folder, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.long
@pytest.mark.parametrize("command", ANSWERS)
def test_messages_that_cannot_be_written_cost_no_answer(command: str, pictures: Path) -> None:
    usual = _shell(command, pictures)

    assert len(usual.stdout.splitlines()) >= ANSWERS[command]
    assert usual.returncode == (3 if "bad" in command or command == "classify ." else 0)
    for stderr in ("2>&-", "2>/dev/full"):
        result = _shell(f"{command} {stderr}", pictures)
        assert (result.returncode, result.stdout) == (usual.returncode, usual.stdout)


def test_an_error_lands_on_stderr_alone_and_keeps_its_code_without(pictures: Path) -> None:
    for command in ("classify missing.png 2>&-", "benchmark --model missing.tflite 2>&-", "classify --nope 2>&-"):
        result = _shell(command, pictures)

        assert result.stdout == ""
        assert result.returncode in (2, 3)


def test_measuring_tells_its_progress_to_nobody(pictures: Path) -> None:
    result = _shell("benchmark missing.tflite 2>&-", pictures)

    assert (result.returncode, result.stdout) == (3, "")


FORGED = "m\x1b[31m\nerror: forged.tflite"
BAD_NAME = ["--model", FORGED]


@pytest.mark.parametrize(
    "arguments",
    [
        ["classify", FORGED],
        ["classify", "one.png", *BAD_NAME],
        ["classify", "one.png", "--no-verify", *BAD_NAME],
        ["classify", "one.png", "--no-verify", "--model", "network"],
        ["classify", "folder"],
        ["classify", "one.png", "--show-input", FORGED],
        ["classify", "one.png", f"--{FORGED}"],
        ["classify", "one.png", "--engine", FORGED],
        ["watch", FORGED],
        ["read", FORGED],
        ["read", "one.png", *BAD_NAME],
        ["read", "one.png", "--annotate", FORGED],
        ["inspect", FORGED],
        ["selftest", FORGED],
        ["doctor", FORGED],
        ["benchmark", FORGED],
        [FORGED],
    ],
    ids=lambda each: " ".join(each).replace(FORGED, "NAME"),
)
def test_no_name_is_printed_raw(arguments: list[str], pictures: Path) -> None:
    network = bundled_models()[0].read_bytes()
    (pictures / FORGED).write_bytes(network if "network" in arguments else b"rubbish")
    (pictures / "folder").mkdir()
    (pictures / "folder" / FORGED).write_bytes(b"left out")
    (pictures / "folder" / f"{FORGED}.png").write_bytes(b"rubbish")
    named = [FORGED if each == "network" else each for each in arguments]
    command = [sys.executable, "-m", "mnist_edge_runtime", *named]

    result = subprocess.run(
        command,
        cwd=pictures,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    for stream in (result.stdout, result.stderr):
        assert "\x1b" not in stream
        assert "\nerror: forged" not in stream
    assert "forged" in result.stdout + result.stderr
