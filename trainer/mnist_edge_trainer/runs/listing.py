"""List the runs of a folder with their exports, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mnist_edge_runtime.confidence_interval import format_accuracy
from mnist_edge_runtime.errors import InputError, ModelError
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.model_file.formats.registry import FORMATS

from .run import load

__all__ = ["Export", "ListedRun", "export_of", "list_runs", "table"]


@dataclass(frozen=True)
class Export:
    """An exported file: its size in bytes, and the verdict "passed" with its runtimes, or why nothing proves it."""

    file: str
    bytes: int
    verdict: str


@dataclass(frozen=True)
class ListedRun:
    """A run as its record and its files tell it; `problem` where the record cannot be read, and nothing else then.

    Attributes:
        name: its folder's.
        date: when its record was written.
        network, data: names.
        accuracy: on the test images, 0 to 1; `images` is their number.
        bytes: the size of its model file.
        exports: its exported files.
    """

    name: str
    date: str
    problem: str | None = None
    network: str = ""
    data: str = ""
    accuracy: float = 0.0
    images: int = 0
    bytes: int = 0
    exports: tuple[Export, ...] = ()


def list_runs(runs_dir: Path) -> list[ListedRun]:
    """Return the runs, the newest first.

    Raises:
        InputError: there is no run.
    """
    records = sorted(runs_dir.glob("[!.]*/run.json"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
    if not records:
        raise InputError(f"{runs_dir}: no run yet; make one with: mnist-edge train")
    return [_listed(runs_dir, record) for record in records]


def export_of(file: Path) -> Export:
    """Return an exported file with the verdict that its contract carries, which the file's SHA-256 seals."""
    try:
        contract = sealed_model.read(file).contract
    except (InputError, ModelError) as error:
        return Export(str(file), file.stat().st_size, str(error).removeprefix(f"{file}: "))
    ran = [f"{row.get('engine')} {row.get('version')}" for row in contract.runtimes if row.get("status") == "ran"]
    verdict = f"passed on {', '.join(ran)}" if contract.parity and ran else "carries no proof; export it again"
    return Export(str(file), file.stat().st_size, verdict)


def table(runs: Sequence[ListedRun]) -> str:
    """Return a header, and for each run a line and a line an export, with sizes in KB."""
    width = max(len("run"), *(len(run.name) for run in runs))
    lines = [f"{'run':<{width}}  {'date':<16}  {'KB':>7}  network, data, test accuracy with its 95% interval"]
    for run in runs:
        if run.problem:
            lines.append(f"{run.name:<{width}}  {run.date:<16}  {'':>7}  {run.problem}")
            continue
        accuracy = f"{format_accuracy(run.accuracy, run.images)} of {run.images:,}"
        lines.append(
            f"{run.name:<{width}}  {run.date:<16}  {run.bytes / 1000:>7.1f}  {run.network}, {run.data}, {accuracy}"
        )
        for each in run.exports:
            lines.append(f"{'':<{width}}  {'':<16}  {each.bytes / 1000:>7.1f}  {Path(each.file).name}: {each.verdict}")
    return "\n".join(lines)


def _listed(runs_dir: Path, record: Path) -> ListedRun:
    name = record.parent.name
    date = datetime.fromtimestamp(record.stat().st_mtime).strftime("%Y-%m-%d %H:%M")
    try:
        run = load(runs_dir, name)
        dataset, accuracy = run.record["dataset"], run.record["metrics"]["test"]["accuracy"]
        files = [file for form in FORMATS.values() for file in sorted(run.exports.glob(f"[!.]*{form.suffix}"))]
        return ListedRun(
            name,
            date,
            network=run.record["architecture"],
            data=dataset["name"],
            accuracy=accuracy,
            images=dataset["test"],
            bytes=run.model_file.stat().st_size,
            exports=tuple(map(export_of, files)),
        )
    except InputError as error:
        return ListedRun(name, date, problem=str(error))
    except (KeyError, TypeError) as error:
        return ListedRun(name, date, problem=f"{record}: has no {error}")
