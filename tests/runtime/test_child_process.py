from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from mnist_edge_runtime.child_process import LineProcess, how_it_ended, run_code, run_module, safe_path
from mnist_edge_runtime.diagnostics.turn_process import InterleavedProcess


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module that does what its argument says."""
    (tmp_path / "obedient.py").write_text("import os, signal, sys, time\nexec(sys.argv[1])\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return "obedient"


def test_a_good_end(module: str) -> None:
    result = run_module(module, "print('out'); print('err', file=sys.stderr)")
    assert (result.code, result.stdout, result.stderr) == (0, "out\n", "err\n")


def test_the_last_line_is_the_reason(module: str) -> None:
    result = run_module(module, "print('noise\\nerror: no such file', file=sys.stderr); sys.exit(4)")
    assert (result.code, result.reason) == (4, "no such file")


def test_without_words_the_exit_code_is_the_reason(module: str) -> None:
    assert run_module(module, "sys.exit(7)").reason == "ended with exit code 7"


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
def test_a_signal_is_named_whatever_was_printed_before_it(module: str) -> None:
    result = run_module(module, "print('fine', file=sys.stderr, flush=True); os.kill(os.getpid(), signal.SIGSEGV)")
    assert (result.code, result.reason) == (-11, "crashed (SIGSEGV)")


def test_one_that_takes_too_long_is_stopped(module: str) -> None:
    result = run_module(module, "time.sleep(600)", seconds=0.5)
    assert (result.code, result.reason) == (None, "did not end in time")


def test_what_is_no_text_harms_nothing(module: str) -> None:
    result = run_module(module, "sys.stderr.buffer.write(b'\\xff\\n'); sys.exit(1)")
    assert (result.code, result.reason) == (1, "\N{REPLACEMENT CHARACTER}")


def test_words_for_a_code() -> None:
    assert [how_it_ended(code) for code in (None, 0, -6, -50)] == [
        "did not end in time",
        "ended with exit code 0",
        "crashed (SIGABRT)",
        "crashed (signal 50)",
    ]


ECHO = "for line in sys.stdin: print(line.strip() + {!r}, flush=True)"


def test_lines_are_answered_in_order(module: str) -> None:
    child = LineProcess(module, ECHO.format("!"), environment={"GREETING": "yes"})
    for word in ("one", "two"):
        child.send(word)
    assert [child.receive(), child.receive()] == ["one!", "two!"]
    child.close()
    assert child._process.returncode


def test_the_end_of_a_child_is_no_answer(module: str) -> None:
    child = LineProcess(module, "print('half', end='', flush=True); print('why', file=sys.stderr); sys.exit(3)")
    assert child.receive() is None
    child.send("too late")
    ended = child.ended()
    assert (ended.code, ended.reason) == (3, "why")
    child.close()


def test_a_file_in_the_current_folder_is_taken_for_no_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "calendar.py").write_text("raise SystemExit('somebody else')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [folder for folder in sys.path if folder])
    assert run_module("calendar", "2026").code == 0
    assert run_code("import calendar").code == 0
    with InterleavedProcess([sys.executable, "-c", "import calendar; print()"], engine="litert") as process:
        process.wait()


@pytest.mark.parametrize("command", [["doctor"], ["classify", "--no-verify", "--model", "model.onnx", "image.pgm"]])
def test_no_command_runs_a_file_of_the_current_folder(
    command: list[str], tmp_path: Path, files: Mapping[str, Path]
) -> None:
    """The engines' own imports among them: each of these files would be found in place of a module."""
    shutil.copy(files["onnx-int8"], tmp_path / "model.onnx")
    (tmp_path / "image.pgm").write_bytes(b"P5 28 28 255\n" + bytes(range(196)) * 4)
    for name in ("json", "numpy", "ctypes", "onnxruntime", "ai_edge_litert"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()")
    program = [sys.executable, "-P", "-m", "mnist_edge_runtime", *command]
    done = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("before", [None, "", "1"])
@pytest.mark.parametrize("in_the_current_folder", [True, False])
def test_the_variable_of_a_safe_path_is_put_back(
    monkeypatch: pytest.MonkeyPatch, before: str | None, in_the_current_folder: bool
) -> None:
    monkeypatch.setattr(sys, "path", ["/somewhere", *([""] if in_the_current_folder else [])])
    monkeypatch.setenv("PYTHONSAFEPATH", before or "")
    if before is None:
        monkeypatch.delenv("PYTHONSAFEPATH")

    with safe_path():
        assert os.environ.get("PYTHONSAFEPATH") == (before if in_the_current_folder else "1")
    assert os.environ.get("PYTHONSAFEPATH") == before
