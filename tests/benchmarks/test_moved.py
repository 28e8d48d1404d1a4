from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest
from mnist_edge_trainer.data.datasets import Dataset
from mnist_edge_trainer.runs.run import Run

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "moved.py"


def test_images_as_they_are_give_the_figures_of_the_run_and_moved_ones_are_harder(
    run: Run, dataset: Dataset, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), "--data", dataset.name, str(run.folder)])
    main = runpy.run_path(str(SCRIPT))["main"]
    monkeypatch.setitem(main.__globals__, "VARIANTS", 2)
    main()

    name, *figures = capsys.readouterr().out.splitlines()[1].split()
    wrong, loss, moved_wrong, moved_loss = map(float, figures)
    found = run.record["metrics"]["validation"]
    assert name == run.name
    assert wrong == pytest.approx(100 * (1 - found["accuracy"]), abs=0.006)
    assert loss == pytest.approx(found["loss"], abs=1e-4)
    assert moved_wrong > wrong
    assert moved_loss > loss
