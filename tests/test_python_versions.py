"""The runtime keeps to Python 3.10, the oldest that it promises, though the suite runs on a newer one."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from .test_rooms import MODULES, ROOT

OLDEST = "3.10"
RUNTIME = [file for name, file in MODULES.items() if name.startswith("mnist_edge_runtime")]


def _newer(*files: str | Path) -> subprocess.CompletedProcess[str]:
    program = "from vermin.main import main; main()"
    command = [sys.executable, "-c", program, f"-t={OLDEST}-", "--no-tips", "--processes=1", "-vvv"]
    return subprocess.run([*command, *files], capture_output=True, text=True, check=False, timeout=120)


def _wrong_timeouts(source: str) -> list[int]:
    """Return the lines that catch the built-in TimeoutError where asyncio raises one of its own before Python 3.11."""
    tree = ast.parse(source)
    if not re.search(r"^(?:import|from) (?:asyncio|concurrent)\b", source, re.M):
        return []
    caught = [node.type for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler) and node.type]
    names = [node for each in caught for node in ast.walk(each) if isinstance(node, ast.Name)]
    return [node.lineno for node in names if node.id == "TimeoutError"]


def test_the_oldest_python_is_the_one_that_is_promised() -> None:
    assert f'requires-python = ">={OLDEST}"' in (ROOT / "runtime" / "pyproject.toml").read_text(encoding="utf-8")


def test_no_module_of_the_runtime_needs_a_newer_python() -> None:
    assert len(RUNTIME) > 100
    smoke = [ROOT / "scripts" / f"{name}_smoke.py" for name in ("release", "service")]
    result = _newer(ROOT / "runtime" / "mnist_edge_runtime", *smoke)

    assert result.returncode == 0, result.stdout
    assert f"Minimum required versions: {OLDEST}" in result.stdout


@pytest.mark.parametrize("used", ["import datetime; datetime.UTC", "import asyncio; asyncio.timeout", "import tomllib"])
def test_what_is_newer_is_found(used: str, tmp_path: Path) -> None:
    file = tmp_path / "newer.py"
    file.write_text(f"{used}\n")

    result = _newer(file)

    assert result.returncode == 1
    assert f"Target versions not met:   {OLDEST}-" in result.stdout


def test_timeouts_of_asyncio_are_caught_by_their_own_name() -> None:
    assert {file.name: lines for file in RUNTIME if (lines := _wrong_timeouts(file.read_text(encoding="utf-8")))} == {}
    assert _wrong_timeouts("import asyncio\ntry:\n    pass\nexcept (OSError, TimeoutError):\n    pass\n") == [4]
