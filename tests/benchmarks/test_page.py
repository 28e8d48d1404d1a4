from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "page.py"


@pytest.mark.long
def test_a_few_strokes_are_timed(tmp_path: Path) -> None:
    """In a process of its own, beside whose browser no other one runs in this thread."""
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if shutil.which("chromium") is None:
        pytest.skip("chromium is not installed")
    command = [sys.executable, str(SCRIPT), "--rounds", "2", "--page", str(tmp_path / "web.md")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr  # 1 where this machine is slow
    found = re.search(r"^\| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", (tmp_path / "web.md").read_text(), re.MULTILINE)
    assert found
    assert "over 4 strokes" in done.stdout
    assert 0 < float(found[1]) <= float(found[3])
