"""Define the command `runs`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from mnist_edge_runtime.json_output import print_result

from ..options import AsJson, RunsDir

__all__ = ["runs"]


def runs(runs_dir: RunsDir = Path("runs"), as_json: AsJson = False) -> None:
    """List the runs, the newest first: network, data, accuracy, size, and the exports with their verdicts."""
    from . import listing

    found = listing.list_runs(runs_dir)
    print_result(as_json, {"runs": [asdict(run) for run in found]}, listing.table(found))
