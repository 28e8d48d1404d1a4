from __future__ import annotations

from pathlib import Path

import click
from mnist_edge_exporters import options


def test_names_of_runs_complete(tmp_path: Path) -> None:
    for name in ("classic", "small", ".hidden"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").write_text("{}")
    context = click.Context(click.Command("export"))
    context.params["runs_dir"] = tmp_path
    assert options.complete_run(context, "") == ["classic", "small"]  # type: ignore[arg-type]
    assert options.complete_run(context, "cl") == ["classic"]  # type: ignore[arg-type]
