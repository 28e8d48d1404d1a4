from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from mnist_edge_runtime import models

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "fuzz_model_files.py"


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from Linux's /proc")
def test_a_few_hundred_mutations_and_pictures(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    options = ["--mutations", "300", "--unverified", "2", "--images", "500", "--page", str(page)]
    result = subprocess.run(
        [sys.executable, SCRIPT, *options], capture_output=True, text=True, check=False, timeout=300
    )

    assert (result.returncode, result.stderr) == (0, "")
    text = page.read_text()
    for file in models.bundled_models():
        assert f"| {file.name} |  | 300 | 0 | 0 |" in text
    assert "| 500 | " in text
