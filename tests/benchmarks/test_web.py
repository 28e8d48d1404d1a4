"""A hundredth of the pictures and images of `benchmarks/web.py`: nothing differs between JavaScript and Python."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest
from mnist_edge_runtime import models

pytest.importorskip("py_mini_racer", reason="mini-racer is not installed")
pytest.importorskip("minify", reason="tdewolff-minify is not installed")

FOLDER = Path(__file__).parents[2] / "benchmarks"


@pytest.mark.long
def test_nothing_differs_and_the_page_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(FOLDER), *sys.path])
    main = runpy.run_path(str(FOLDER / "web.py"))["main"]
    (model,) = models.bundled_models("litert", "small")
    page = tmp_path / "web.md"
    assert main([str(model), "--images", "100", "--share", "0.01", "--page", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    assert f"| `{model.stem}` |" in text
    assert "| fuzz | 40 | 0 |" in text
