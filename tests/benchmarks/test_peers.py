from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "benchmarks"
SCRIPT = FOLDER / "peers.py"

MEASURED_BEFORE = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from peer_parts.session import Record
epochs = [[1, 9.0, 0.981, 8.0], [2, 13.0, 0.992, 11.4]]
Record(Path(sys.argv[2])).measure("training-0", lambda: {"mnist-edge train --fast": epochs})
"""


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *map(str, arguments)], capture_output=True, text=True, check=False, env=dict(os.environ)
    )


def test_figures_that_are_there_are_not_measured_again(tmp_path: Path) -> None:
    made = run("-c", MEASURED_BEFORE, FOLDER, tmp_path / "figures.json")
    assert made.returncode == 0, made.stderr

    result = run(SCRIPT, "--only", "training-0", "photos", "--folder", tmp_path, "--docs", tmp_path)

    assert result.returncode == 0, result.stderr
    assert "training-0: measured before" in result.stderr
    assert "photos: left out without --photos" in result.stderr
    assert (
        "| mnist-edge train --fast | 0 | 13 | 11 | 2 | 99.20% | 13 | 11 |" in (tmp_path / "benchmarks.md").read_text()
    )
    assert (tmp_path / "peers-training.png").is_file()
    assert list(json.loads((tmp_path / "figures.json").read_text())) == ["training-0"]


def test_a_folder_without_a_list_of_pages_is_refused(tmp_path: Path) -> None:
    result = run(SCRIPT, "--photos", tmp_path)

    assert result.returncode == 2
    assert "has no pages.json" in result.stderr
