from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "fuzz_prepare.py"


@pytest.mark.long
def test_a_thousand_pictures_are_prepared_in_c_as_by_the_runtime(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    command = [sys.executable, SCRIPT, "--cases", "1000", "--page", str(page)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=280)

    assert result.returncode == 0, result.stderr
    cells = page.read_text().splitlines()[-1].strip("| ").split(" | ")
    assert cells[:2] == ["1,000", "0"]
    assert 100 < int(cells[2]) < 600
