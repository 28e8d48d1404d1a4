"""The script that compares the logits of all targets, on a few images."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from mnist_edge_runtime import models

ROOT = Path(__file__).parents[2]
TARGETS = 5 + 4 + 5 + 6  # of this machine, boards with LiteRT, processors for C, chips


def test_no_logit_differs_on_any_target(tmp_path: Path) -> None:
    (model,) = models.bundled_models("litert", "small")
    page = tmp_path / "page.md"
    command = [sys.executable, "benchmarks/targets.py", str(model), "--images", "10", "--on-boards", "5"]
    environment = {**os.environ, "PYTHONPATH": "emulators"}
    result = subprocess.run(
        [*command, "--page", str(page)], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )

    assert result.returncode == 0, result.stderr
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page.read_text().splitlines() if "|" in line]
    differing = [row[2] for row in rows if row[0].startswith(("LiteRT,", "C,", "JavaScript,", "TFLM,"))]
    assert differing == ["0"] * TARGETS
