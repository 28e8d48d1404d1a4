from __future__ import annotations

import os
import subprocess
import sys

import pytest
from mnist_edge_trainer import progress
from mnist_edge_trainer.progress import progress_bar

WORK = """
import time
from mnist_edge_trainer.progress import progress_bar
with progress_bar("downloading x", {total}) as advance:
    for number in range(4):
        time.sleep(0.2)
        advance(25, note=f"loss {{number}}")
print("done")
"""


@pytest.mark.parametrize("total", [100, 0.5, None])
def test_on_a_pipe_it_is_silent(capfd: pytest.CaptureFixture[str], total: float | None) -> None:
    with progress_bar("working", total) as advance:
        advance(1)
        advance(2.5, note="loss 0.1")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("total", [100, None])
def test_on_a_terminal_it_shows_on_stderr_alone(total: int | None) -> None:
    pty = pytest.importorskip("pty")
    terminal, stderr = pty.openpty()
    try:
        environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TTY_COMPATIBLE")}
        done = subprocess.run(
            [sys.executable, "-c", WORK.format(total=total)],
            stdout=subprocess.PIPE,
            stderr=stderr,
            env={**environment, "TERM": "xterm", "COLUMNS": "100"},
            check=True,
            timeout=60,
        )
        shown = os.read(terminal, 1 << 16).decode()
    finally:
        os.close(stderr)
        os.close(terminal)
    assert done.stdout == b"done\n"
    assert "downloading x" in shown
    assert "loss 2" in shown


def test_a_log_has_a_line_every_few_seconds(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 1.0, 5.0, 5.0, 6.0, 11.0, 11.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    with progress_bar("working", 4, log=True) as advance:
        for number in range(4):
            advance(1, note=f"step {number}")
    assert capfd.readouterr() == ("", "working 50%  step 1\nworking 100%  step 3\n")


def test_an_error_passes_through() -> None:
    with pytest.raises(KeyError, match="why"), progress_bar("working", 10):
        raise KeyError("why")


def test_the_terminal_is_given_back_after_an_error() -> None:
    """A hidden cursor would stay hidden in the person's shell."""
    pty = pytest.importorskip("pty")
    terminal, stderr = pty.openpty()
    try:
        code = WORK.format(total=100).replace("advance(25", "raise SystemExit(0); advance(25")
        subprocess.run(
            [sys.executable, "-c", code], stderr=stderr, env={**os.environ, "TERM": "xterm"}, check=True, timeout=60
        )
        shown = os.read(terminal, 1 << 16).decode()
    finally:
        os.close(stderr)
        os.close(terminal)
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h") == 1


@pytest.mark.parametrize("log", [True, False])
def test_with_stderr_closed_nothing_is_shown(log: bool) -> None:
    code = f"from mnist_edge_trainer.progress import progress_bar\nwith progress_bar('x', 4, log={log}) as advance: "
    command = [sys.executable, "-c", f"{code}advance(4, note='y'); print('done')"]
    done = subprocess.run(["sh", "-c", 'exec "$@" 2>&-', "sh", *command], capture_output=True, check=True, timeout=60)
    assert done.stdout == b"done\n"


def test_a_warning_is_one_line_however_long_and_may_be_of_several(capfd: pytest.CaptureFixture[str]) -> None:
    progress.warn(f"{'long ' * 60}\nnext\x1b[2J")
    assert capfd.readouterr() == ("", f"WARNING: {'long ' * 60}\nnext\\x1b[2J\n")
