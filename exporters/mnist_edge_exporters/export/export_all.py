"""Export many files with a line of progress for each, and publish all of them or only the best."""

from __future__ import annotations

import sys
from pathlib import Path

from ..source import Source
from ..spec import ExportSpec, Options
from .export import Exported, export
from .selection import Choice, Constraint, adopt, choose, workspace

__all__ = ["export_all", "export_best"]


def export_all(source: Source, specs: list[ExportSpec], folder: Path, options: Options) -> list[Exported]:
    """Export each file into `folder`, with a line on stderr when it is done; raises what `export` raises."""
    print(f"proving each file on {len(source.test[0]):,} test images", file=sys.stderr)
    outcomes = []
    for number, outcome in enumerate(export(source, specs, folder, options), start=1):
        verdict = "passed" if not outcome.failures else "FAILED"
        line = f"export {number}/{len(specs)}  {outcome.spec}  {verdict}  {outcome.spec.note}"
        print(line.rstrip(), file=sys.stderr)
        outcomes.append(outcome)
    return outcomes


def export_best(
    source: Source,
    specs: list[ExportSpec],
    folder: Path,
    options: Options,
    constraints: tuple[Constraint, ...],
) -> tuple[Choice, list[Exported]]:
    """Export each file to a temporary folder and publish the best that meets the constraints.

    Returns:
        The choice, and a list that holds the published file, or nothing.
    """
    with workspace(folder) as scratch:
        choice = choose(export_all(source, specs, scratch, options), source, constraints)
        return choice, [adopt(choice.best, folder)] if choice.best else []
