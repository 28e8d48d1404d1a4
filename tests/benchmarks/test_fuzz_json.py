from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "fuzz_json.py"


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from Linux's /proc")
def test_a_thousand_contracts_and_lines(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    options = ["--cases", "1000", "--page", str(page), "--growth", "65536"]
    result = subprocess.run(
        [sys.executable, SCRIPT, *options], capture_output=True, text=True, check=False, timeout=300
    )

    assert result.returncode == 0, result.stderr
    rows = [row.split(" | ") for row in page.read_text().splitlines() if " | 1,000 | " in row]
    assert [row[0] for row in rows] == ["| lines on stdin", "| contracts"]
    for row in rows:
        assert row[4:6] == ["0", "0"]
        assert all(int(number) > 20 for number in row[2:4])
