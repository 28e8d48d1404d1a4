from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from mnist_edge_runtime import models

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "integer.py"


@pytest.mark.long
def test_no_logit_of_the_bundled_network_and_of_random_ones_differs(tmp_path: Path) -> None:
    (model,) = models.bundled_models("litert", "small")
    page = tmp_path / "page.md"
    options = ["--data", "digits", "--images", "30", "--networks", "5", "--page", str(page), str(model)]
    result = subprocess.run(
        [sys.executable, SCRIPT, *options], capture_output=True, text=True, check=False, timeout=300
    )

    assert result.returncode == 0, result.stderr
    rows = [line.split(" | ") for line in page.read_text().splitlines() if line.startswith("| ") and "0" in line]
    assert [row[1:3] for row in rows] == [["0", "0"]] * 3
    assert [row[-1] for row in rows] == ["600 |", "5,000 |", "10,240 |"]
