"""The notebook runs from top to bottom, and is kept without outputs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "examples" / "mnist_edge.ipynb"
SECONDS = 300  # of a cell, at most: a quiet machine takes ten


@pytest.fixture
def notebook() -> Any:
    found = nbformat.read(FILE, as_version=4)
    nbformat.validate(found)
    return found


def _text(cell: Any) -> str:
    return "".join(output.get("text", "") for output in cell.outputs)


def test_it_has_no_outputs_and_is_as_nbstripout_leaves_it(notebook: Any) -> None:
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)  # the first with ids of cells
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.id for cell in code if cell.outputs or cell.execution_count is not None] == []
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells) > len(code) > 10
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    # No version of the Python that ran it; pages colour it as IPython's.
    assert set(notebook.metadata.language_info) == {"name", "pygments_lexer"}


@pytest.mark.long
def test_a_hook_takes_outputs_out(notebook: Any, tmp_path: Path) -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    (hook,) = (hook for each in config["repos"] for hook in each["hooks"] if hook["id"] == "notebooks")
    program, *options = hook["entry"].split()
    file = tmp_path / FILE.name
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    first.outputs, first.execution_count = [nbformat.v4.new_output("stream", text="seen")], 1
    nbformat.write(notebook, file)
    assert "seen" in file.read_text(encoding="utf-8")
    subprocess.run([sys.executable, "-m", program, *options, file], check=True)
    assert json.loads(file.read_text(encoding="utf-8")) == json.loads(FILE.read_text(encoding="utf-8"))


@pytest.mark.long
def test_it_runs_from_top_to_bottom(notebook: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    for name in [name for name in os.environ if name.startswith("MPL")]:
        monkeypatch.delenv(name)  # the kernel chooses how plots are shown
    cells = {cell.id: cell for cell in notebook.cells}
    before = cells["install"].source
    cells["install"].source = before.replace('FOLDER = ""', f"FOLDER = {str(tmp_path / 'made')!r}")
    assert cells["install"].source != before
    cells["train"].source += " --epochs 10"  # enough for a proof
    place = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=SECONDS, kernel_name="python3", resources=place).execute()

    results = json.loads(_text(cells["results"]))
    assert results["passed"] is True
    assert results["accuracy"] > 0.8
    assert results["agreement"] > 0.95
    assert results["drawing"] in set("0123456789")
    assert (results["c_images"], results["c_differs"]) == (300, 0)
    assert results["page_bytes"] > 10_000
    assert all("0 of 3,000 logits differ" in _text(cells[name]) for name in ("web", "c"))
    assert "passed" in _text(cells["export"])
    pictures = {
        name
        for name, cell in cells.items()
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    }
    assert pictures == {"look", "curves", "predictions", "confusion", "seen"}
    assert [path.name for path in tmp_path.glob("*.png")] == []  # all of it in the reader's folder
    assert (tmp_path / "made" / "three.png").is_file()


def test_it_is_on_the_page_and_says_what_is_untried(notebook: Any) -> None:
    assert f"- `{FILE.name}`: " in (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    assert "Colab is untried" in notebook.cells[0].source
