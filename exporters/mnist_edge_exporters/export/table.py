"""The outcomes of an export as a person reads them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .export import Exported

__all__ = ["table"]


def table(outcomes: Sequence[Exported]) -> str:
    """Return a line a file, under a header, and where they were published; sizes in KB of 1,024 bytes."""
    names = [outcome.file.name if outcome.file else f"{outcome.spec} (not published)" for outcome in outcomes]
    width = max(map(len, names))
    lines = [f"{'file':<{width}}{'KB':>9}{'accuracy':>10}{'difference':>12}{'agreement':>11}  verdict"]
    for name, outcome in zip(names, outcomes, strict=True):
        report = outcome.proof.report
        if report is None:
            lines.append(f"{name:<{width}}{outcome.size / 1024:>9.1f}{'':33}  FAILED")
            continue
        difference = (report.accuracy - report.reference_accuracy) * 100
        lines.append(
            f"{name:<{width}}{outcome.size / 1024:>9.1f}{report.accuracy:>10.2%}{difference:>+9.2f} pp"
            f"{report.agreement:>11.2%}  {'FAILED' if outcome.failures else 'passed'}"
        )
    published = [outcome.file for outcome in outcomes if outcome.file]
    for outcome in outcomes:
        if outcome.twin:
            other, report = outcome.twin
            lines.append(f"{other} and {outcome.spec} give {report.agreement:.2%} of the images the same answer")
    if published:
        lines.append(f"published into {published[0].parent}")
    return "\n".join(lines)
