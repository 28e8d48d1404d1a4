from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).with_name("conftest.py")
TESTS = """\
import pytest

def test_that_runs():
    pass

@pytest.mark.skip(reason={reason!r})
def test_that_does_not():
    pass
"""


@pytest.mark.long
@pytest.mark.parametrize(
    ("reason", "ci", "workers", "code"),
    [
        ("root may write everywhere", "true", 0, 0),
        ("sshd is not installed", "true", 0, 1),
        ("sshd is not installed", "true", 2, 1),
        ("sshd is not installed", "", 0, 0),
    ],
)
def test_in_ci_a_skip_is_a_failure_unless_it_is_listed(
    reason: str, ci: str, workers: int, code: int, tmp_path: Path
) -> None:
    (tmp_path / "conftest.py").write_bytes(CONFTEST.read_bytes())
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_some.py").write_text(TESTS.format(reason=reason))
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n", str(workers), str(tmp_path)]
    variables = {**os.environ, "CI": ci}
    result = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True, check=False)
    assert result.returncode == code, result.stdout
    assert "1 passed, 1 skipped" in result.stdout
    assert ("test_some.py::test_that_does_not: sshd is not installed" in result.stdout) == bool(code)


@pytest.mark.long
def test_the_files_that_are_started_first_are_there() -> None:
    (listed,) = (
        ast.literal_eval(node.value)
        for node in ast.parse(CONFTEST.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id == "_STARTED_FIRST"
    )
    assert [name for name in listed if not (CONFTEST.parent / name).is_file()] == []
