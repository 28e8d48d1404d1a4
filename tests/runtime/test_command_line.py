from __future__ import annotations

import subprocess
import sys

import pytest
from mnist_edge_runtime import InputError, UsageError, command_line


def _raise(error: BaseException) -> int:
    raise error


@pytest.mark.parametrize(
    ("error", "code", "printed"),
    [
        (InputError("a.png: bad"), 3, "error: a.png: bad\n"),
        (UsageError("no such option"), 2, "error: no such option (see program command --help)\n"),
        (InputError("\x1b[2Ja\u202e.png"), 3, "error: \\x1b[2Ja\\u202e.png\n"),
        (InputError("two:\n  a\n  b"), 3, "error: two:\n  a\n  b\n"),
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


def test_an_error_can_be_worded_or_left_to_others(capsys: pytest.CaptureFixture[str]) -> None:
    ends = {
        "worded": command_line.run(lambda: _raise(ValueError("x")), "p", debug=False, worded=lambda e: InputError("y")),
        "silent": command_line.run(lambda: _raise(UsageError("x")), "p", debug=False, worded=lambda e: None),
    }
    assert ends == {"worded": 3, "silent": 2}
    assert capsys.readouterr().err == "error: y\n"


def test_debug_shows_where(capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.run(lambda: _raise(InputError("x")), "p", debug=True) == 3
    assert "Traceback" in capsys.readouterr().err


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
