from __future__ import annotations

from pathlib import Path

import click
from mnist_edge_trainer import options


def completed(folder: Path, incomplete: str) -> list[str]:
    context = click.Context(click.Command("export"))
    context.params["runs_dir"] = folder
    return options.complete_run(context, incomplete)  # type: ignore[arg-type]


def test_names_of_runs_complete(tmp_path: Path) -> None:
    for name in ("classic", "classic-2", "small", ".classic.0123456789abcdef"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").write_text("{}")
    (tmp_path / "studies").mkdir()
    assert completed(tmp_path, "") == ["classic", "classic-2", "small"]
    assert completed(tmp_path, "cl") == ["classic", "classic-2"]
    assert completed(tmp_path / "nowhere", "") == []
