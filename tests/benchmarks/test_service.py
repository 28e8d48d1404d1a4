from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "service.py"


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from Linux's /proc")
def test_a_hundredth_of_the_requests_and_of_the_mutated_bodies(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    options = ["--requests", "1000", "--mutated", "100", "--examples", "0", "--page", str(page)]
    result = subprocess.run(
        [sys.executable, SCRIPT, *options], capture_output=True, text=True, check=False, timeout=300
    )

    assert result.returncode == 0, result.stderr
    rows = dict(re.findall(r"^\| (.+?) \| (.+) \|$", page.read_text(), re.M))
    assert rows["answered right, to the bit"] == "1,000"
    assert rows["lost, or another's answer"] == "0"
    assert rows["mutated bodies"].startswith("100: ")
