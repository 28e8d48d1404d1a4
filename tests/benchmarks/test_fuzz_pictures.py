from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "fuzz_pictures.py"


@pytest.mark.long
def test_some_hundred_pictures(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    command = [sys.executable, SCRIPT, "--cases", "900", "--page", str(page)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=110)

    assert result.returncode == 0, result.stderr
    cells = page.read_text().splitlines()[-1].strip("| ").split(" | ")
    assert cells[0] == "900"
    assert cells[4] == "0"
    assert all(int(count) > 20 for count in cells[1:4])
