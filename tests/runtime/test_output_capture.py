"""Each block runs in a process of its own, where Python's streams and the system's are the same as in real use."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import textwrap
import warnings
from pathlib import Path

import pytest
from mnist_edge_runtime.output_capture import suppress_output

PREPARATION = """
    import os, subprocess, sys
    from mnist_edge_runtime.errors import InputError
    from mnist_edge_runtime.output_capture import suppress_output

    def chatter():
        "Write past Python's streams, as C++ code does, and through them."
        os.write(1, b"out of C++" + os.linesep.encode())
        os.write(2, b"error of C++" + os.linesep.encode())
        print("out of Python")
        print("error of Python", file=sys.stderr)
"""


def _run(code: str, *, shell: str = "", cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run Python code, its process started with the shell's redirections."""
    script = textwrap.dedent(PREPARATION) + textwrap.dedent(code)
    return subprocess.run(
        ["/bin/sh", "-c", f'exec "$0" -B -c "$1" {shell}', sys.executable, script],
        capture_output=True,
        text=True,
        errors="backslashreplace",
        check=False,
        timeout=60,
        cwd=cwd,
    )


def test_nothing_gets_through_and_afterwards_everything() -> None:
    result = _run("""
        print("before")
        with suppress_output():
            chatter()
            subprocess.run([sys.executable, "-c", "print('out of a child')"], check=True)
        print("after", flush=True)
        os.write(1, b"after in C++")
        os.write(2, b"after in C++")
    """)

    assert (result.returncode, result.stdout, result.stderr) == (0, "before\nafter\nafter in C++", "after in C++")


def test_a_users_error_is_not_drowned_in_chatter() -> None:
    result = _run("""
        try:
            with suppress_output():
                chatter()
                raise InputError("the picture is blank")
        except InputError as error:
            print(error)
    """)

    assert (result.returncode, result.stdout, result.stderr) == (0, "the picture is blank\n", "")


def test_an_unexpected_failure_shows_all_of_it_on_stderr() -> None:
    result = _run("""
        try:
            with suppress_output():
                chatter()
                os.write(1, b"not \\xff UTF-8")
                raise ZeroDivisionError
        except ZeroDivisionError:
            print("caught")
    """)

    assert (result.returncode, result.stdout) == (0, "caught\n")
    for line in ("out of C++", "error of C++", "out of Python", "error of Python", "UTF-8"):
        assert line in result.stderr


def test_the_streams_come_back_after_an_interruption() -> None:
    result = _run("""
        try:
            with suppress_output():
                chatter()
                raise KeyboardInterrupt
        except KeyboardInterrupt:
            chatter()
    """)

    assert sorted(result.stdout.splitlines()) == ["out of C++", "out of Python"]
    assert sorted(result.stderr.splitlines()) == ["error of C++", "error of Python"]


def test_it_may_be_nested() -> None:
    result = _run("""
        with suppress_output():
            with suppress_output():
                chatter()
            chatter()
        print("after")
    """)

    assert (result.returncode, result.stdout, result.stderr) == (0, "after\n", "")


@pytest.mark.parametrize("closed", [1, 2])
def test_a_process_without_that_stream_works_all_the_same(tmp_path: Path, closed: int) -> None:
    """Services are started without a terminal, some without any stream."""
    _run(
        """
        with suppress_output():
            os.write(1, b"chatter")
        open("done", "w").close()
        """,
        shell=f"{closed}>&-",
        cwd=tmp_path,
    )

    assert (tmp_path / "done").exists()


def test_no_folder_for_temporary_files_is_needed(tmp_path: Path) -> None:
    """A device's disk is often read-only."""
    result = _run(
        """
        import tempfile
        tempfile.tempdir = "missing"
        with suppress_output():
            chatter()
        print("after")
        """,
        cwd=tmp_path,
    )

    assert (result.returncode, result.stdout) == (0, "after\n"), result.stderr


def test_warnings_are_silenced_inside_and_only_there(recwarn: pytest.WarningsRecorder) -> None:
    with suppress_output():
        warnings.warn("inside", stacklevel=1)
    warnings.warn("after", stacklevel=1)

    assert [str(warning.message) for warning in recwarn] == ["after"]


def test_logging_is_silenced_inside_and_only_there(caplog: pytest.LogCaptureFixture) -> None:
    with suppress_output():
        logging.getLogger("converter").error("inside")
    logging.getLogger("converter").error("after")

    assert caplog.messages == ["after"]


@pytest.mark.parametrize("level", [logging.NOTSET, logging.WARNING, logging.CRITICAL])
def test_logging_is_left_as_it_was(level: int) -> None:
    logging.disable(level)
    try:
        with suppress_output():
            pass
        assert logging.root.manager.disable == level
    finally:
        logging.disable(logging.NOTSET)


def test_no_file_descriptor_is_left_open() -> None:
    before = len(os.listdir("/dev/fd"))
    for _ in range(20):
        with suppress_output():
            pass

    assert len(os.listdir("/dev/fd")) == before
