from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest
from mnist_edge_trainer.data import datasets
from mnist_edge_trainer.data.datasets import Dataset
from mnist_edge_trainer.networks.config import TrainConfig
from mnist_edge_trainer.runs import run
from mnist_edge_trainer.training.fit import train

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "compare_augmented.py"


@pytest.mark.long
def test_images_as_they_are_give_the_figures_of_the_run_and_augmented_ones_are_harder(
    digits: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    trained = run.save(
        train(TrainConfig(parts={"epochs": 6}), digits, datasets.split(digits)), digits, tmp_path, "quick"
    )
    capsys.readouterr()
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), "--data", "digits", str(trained.folder)])
    main = runpy.run_path(str(SCRIPT))["main"]
    monkeypatch.setitem(main.__globals__, "VARIANTS", 2)
    main()

    name, *figures = capsys.readouterr().out.splitlines()[1].split()
    wrong, loss, moved_wrong, moved_loss = map(float, figures)
    found = trained.record["metrics"]["validation"]
    assert name == "quick"
    assert wrong == pytest.approx(100 * (1 - found["accuracy"]), abs=0.006)
    assert loss == pytest.approx(found["loss"], abs=1e-4)
    assert moved_wrong > wrong
    assert moved_loss > loss
