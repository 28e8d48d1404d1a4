"""Export many files with a progress line for each, publish all of them or only the best, and show them as a table."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from mnist_edge_runtime.command_line import tell
from mnist_edge_runtime.confidence_interval import few_images_warning, format_interval

from ..source import Source
from ..spec import ExportSpec, Options
from .export import Exported, export
from .leftovers import exporting
from .selection import Constraint, Selection, adopt, choose

__all__ = ["export_all", "export_best", "table"]


def export_all(source: Source, specs: list[ExportSpec], folder: Path, options: Options) -> list[Exported]:
    """Export each file into `folder`, with a line on stderr when it is done; raises what `export` raises."""
    told = f"exporting {source.name}: each file is proved on {len(source.test[0]):,} test images"
    tell(told)
    outcomes = []
    for number, outcome in enumerate(export(source, specs, folder, options), start=1):
        verdict = "passed" if not outcome.failures else "FAILED"
        line = f"export {number}/{len(specs)}  {outcome.spec}  {verdict}  {outcome.spec.info.note}"
        tell(line.rstrip())
        outcomes.append(outcome)
    return outcomes


def export_best(
    source: Source,
    specs: list[ExportSpec],
    folder: Path,
    options: Options,
    constraints: tuple[Constraint, ...],
) -> tuple[Selection, list[Exported]]:
    """Export each file into a hidden folder within `folder`, and publish the best that meets the constraints.

    Returns:
        The selection, and a list with the published file, or an empty one.
    """
    with ExitStack() as stack:
        stack.enter_context(exporting(folder))
        stack.enter_context(source.in_use())
        made = tempfile.TemporaryDirectory(prefix=".", suffix=".candidates", dir=folder, ignore_cleanup_errors=True)
        candidates = stack.enter_context(made)
        selection = choose(export_all(source, specs, Path(candidates), options), source, constraints)
        with source.unchanged():
            return selection, [adopt(selection.best, folder)] if selection.best else []


def table(outcomes: Sequence[Exported]) -> str:
    """Return a header, a line for each file with its size in KB, and the folder that they were published into."""
    names = [outcome.file.name if outcome.file else f"{outcome.spec} (not published)" for outcome in outcomes]
    width = max(map(len, names))
    lines = [
        f"{'file':<{width}}{'KB':>9}{'accuracy':>10}{'95% interval':>17}{'difference':>12}{'agreement':>11}  verdict"
    ]
    for name, outcome in zip(names, outcomes, strict=True):
        report = outcome.proof.report
        if report is None:
            lines.append(f"{name:<{width}}{outcome.size / 1000:>9.1f}{'':50}  FAILED")
            continue
        difference = (report.accuracy - report.reference_accuracy) * 100  # percentage points
        lines.append(
            f"{name:<{width}}{outcome.size / 1000:>9.1f}{report.accuracy:>10.2%}"
            f"{format_interval(report.accuracy_interval):>17}{difference:>+9.2f} pp"
            f"{report.agreement:>11.2%}  {'FAILED' if outcome.failures else 'passed'}"
        )
    published = [outcome.file for outcome in outcomes if outcome.file]
    for outcome in outcomes:
        if outcome.counterpart:
            other, report = outcome.counterpart
            lines.append(f"{other} and {outcome.spec} give {report.agreement:.2%} of the images the same answer")
    reports = [outcome.proof.report for outcome in outcomes if outcome.proof.report]
    if reports and (warning := few_images_warning(reports[0].images)):
        lines.append(f"WARNING: {warning}")
    if published:
        lines.append(f"published into {published[0].parent}")
    return "\n".join(lines)
