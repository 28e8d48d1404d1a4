"""What joins trainer and exporters, which do not know each other: a run becomes a source, a source becomes files.

As in the command line, everything heavy is imported inside the function that needs it.
"""

from __future__ import annotations

import os
import sys
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mnist_edge_runtime.errors import UsageError, VerificationError
from mnist_edge_runtime.quiet import quiet

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mnist_edge_exporters.constraints import Choice, Constraint
    from mnist_edge_exporters.export import Exported
    from mnist_edge_exporters.source import Source
    from mnist_edge_exporters.spec import ExportSpec, Options
    from mnist_edge_trainer.config import TrainConfig
    from mnist_edge_trainer.data import Dataset
    from mnist_edge_trainer.evaluate import Subject
    from mnist_edge_trainer.results import Results
    from mnist_edge_trainer.run import Run
    from mnist_edge_trainer.search import SearchConfig
    from mnist_edge_trainer.study import Found

__all__ = [
    "demonstrate",
    "export",
    "export_best",
    "insist",
    "recall",
    "source_of",
    "source_of_export",
    "subject_of",
    "train",
    "tune",
]


def train(
    config: TrainConfig,
    data: str,
    name: str,
    runs_dir: Path,
    teachers: Sequence[str] = (),
    *,
    overwrite: bool = False,
    resume: bool = False,
) -> Run:
    """Load the data and the teachers, which are names of runs; fit the network and write the run."""
    from mnist_edge_trainer import checkpoint, run
    from mnist_edge_trainer import data as datasets

    run.check_name(name)
    taught_by = [run.load(runs_dir, teacher) for teacher in teachers]
    dataset = datasets.load(data)
    split = datasets.split(dataset)
    print(dataset.summary(split), file=sys.stderr)
    fingerprint = checkpoint.fingerprint(config, dataset, split, taught_by)
    with checkpoint.working_folder(runs_dir, name, fingerprint, resume=resume) as folder:
        if config.fast:  # its steps are too small to share: two threads take a third longer than one
            os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
        _load_tensorflow()
        from mnist_edge_trainer.fit import train as fit

        return run.save(fit(config, dataset, split, folder, taught_by), dataset, runs_dir, name, overwrite=overwrite)


def tune(config: SearchConfig, data: str, name: str, runs_dir: Path, storage: str | None) -> tuple[Results, list[Path]]:
    """Load the data and work on the study until it has its trials; return what it found, and the files written."""
    from mnist_edge_trainer import data as datasets
    from mnist_edge_trainer import storage as storages
    from mnist_edge_trainer import study

    folder = study.folder_of(runs_dir, name)
    dataset = datasets.load(data)
    split = datasets.split(dataset)
    kept = storages.open_storage(folder, storage, create=True)
    print(dataset.summary(split), file=sys.stderr)
    _load_tensorflow()
    from mnist_edge_trainer import results
    from mnist_edge_trainer.tune import tune as search

    searched = search(config, dataset, split, kept, folder)
    if searched is None:  # the same command goes on in a process with nothing left over
        sys.stderr.flush()
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
    found = results.collect(searched, config.objectives)
    return found, results.save(found, searched, folder)


def recall(choice: str, runs_dir: Path, storage: str | None, *, fast: bool) -> Found:
    """Return the best trial of a study, or the one that is named.

    Raises:
        UsageError: the recipe that takes seconds is asked for as well, or Optuna is missing.
    """
    from mnist_edge_trainer.search import need_optuna

    if fast:
        raise UsageError("--from-study and --fast exclude each other; name one of them")
    need_optuna("--from-study")
    from mnist_edge_trainer import study

    return study.recall(runs_dir, choice, storage)


def source_of(
    runs_dir: Path, run: str | None, model: Path | None, data: str | None, golden: str | None = None
) -> tuple[Source, Path]:
    """Return the run (or the latest), or a model of one's own, with its data, and the folder for its exports.

    `golden` names the data whose test images the files carry, where these are not to be the run's.

    Raises:
        UsageError: both are named.
    """
    _exclude(run, model)
    if model:
        from mnist_edge_trainer import data as datasets

        dataset = datasets.load(data or "auto")
        origin = {"architecture": model.stem, "dataset": dataset.describe()}
        return _source(model.stem, model, origin, dataset, golden), model.parent / "exports"
    from mnist_edge_trainer.run import load

    found = load(runs_dir, run)
    return _source(found.name, found.model_file, found.origin, found.dataset(data), golden), found.exports


def source_of_export(
    file: Path, runs_dir: Path, run: str | None, model: Path | None, data: str | None
) -> tuple[Source, Path]:
    """Return what `source_of` does; where neither a run nor a model is named, the run in whose folder the file lies."""
    home = file.resolve().parent.parent
    if not run and not model and file.resolve().parent.name == "exports" and (home / "run.json").is_file():
        return source_of(home.parent, home.name, None, data)
    return source_of(runs_dir, run, model, data)


def subject_of(runs_dir: Path, run: str | None, model: Path | None, data: str | None, part: str) -> Subject:
    """Return the reader to evaluate: a run (or the latest), an exported file or a .keras file, with its images.

    Raises:
        UsageError: both are named.
    """
    from mnist_edge_trainer.evaluate import Subject
    from mnist_edge_trainer.run import MODEL

    _exclude(run, model)
    if model and model.suffix != ".keras":
        return Subject.of_file(model, data, part)
    source, exports = source_of(runs_dir, run, model, data)
    from mnist_edge_exporters.parity import reference_probabilities

    read = partial(reference_probabilities, source.model)
    file, described, images = model or exports.with_name(MODEL), source.origin["dataset"], getattr(source, part)
    return Subject(file, "keras", read, source.labels, described, part, *images)


def export(source: Source, cells: list[ExportSpec], folder: Path, options: Options) -> list[Exported]:
    """Export each cell, with a line on stderr as it is done."""
    from mnist_edge_exporters.export import export as run_export

    print(f"proving each file on {len(source.test[0]):,} test images", file=sys.stderr)
    outcomes = []
    for number, outcome in enumerate(run_export(source, cells, folder, options), start=1):
        verdict = "passed" if not outcome.failures else "FAILED"
        line = f"export {number}/{len(cells)}  {outcome.spec}  {verdict}  {outcome.spec.note}"
        print(line.rstrip(), file=sys.stderr)
        outcomes.append(outcome)
    return outcomes


def export_best(
    source: Source,
    cells: list[ExportSpec],
    folder: Path,
    options: Options,
    constraints: tuple[Constraint, ...],
) -> tuple[Choice, list[Exported]]:
    """Export each cell aside, and publish the best that meets the constraints; the list holds it, or nothing."""
    from mnist_edge_exporters.constraints import adopt, choose, workspace

    with workspace(folder) as scratch:
        choice = choose(export(source, cells, scratch, options), source, constraints)
        return choice, [adopt(choice.best, folder)] if choice.best else []


def demonstrate(data: str, runs_dir: Path) -> tuple[dict[str, Any], str]:
    """Train, export everything, read pictures of our own making; return what to print as JSON and as text."""
    from mnist_edge_exporters import spec
    from mnist_edge_exporters.table import table
    from mnist_edge_trainer.config import TrainConfig
    from mnist_edge_trainer.demonstration import read_drawings

    started = time.monotonic()
    run = train(TrainConfig(), data, "demo", runs_dir)
    source, folder = source_of(runs_dir, run.name, None, None if data == "auto" else data)
    outcomes = export(source, spec.select("all", "all"), folder, spec.Options())
    insist([(str(outcome.spec), outcome.failures) for outcome in outcomes], "not published")
    model = folder / f"{run.name}-tflite-int8.tflite"
    readings = read_drawings(model, run.folder / "pictures")
    exports = [outcome.to_dict() for outcome in outcomes]
    pictures = [{"file": str(reading.file), "drawn": reading.drawn, "label": reading.label} for reading in readings]
    lines = [run.summary(), "", table(outcomes), "", f"Pictures drawn here and read by {model.name}:"]
    lines += [f"  {reading}" for reading in readings]
    lines += ["", f"All of it took {time.monotonic() - started:.0f} seconds. To look at:"]
    lines += [f"  {path}" for path in (*sorted(run.folder.glob("*.png")), run.folder / "pictures" / "readings.png")]
    lines += [
        "To go on:",
        f"  mnist-edge classify --model {model} {readings[3].file}",
        f"  mnist-edge report --run {run.name}",
    ]
    return {"run": str(run.folder), "exports": exports, "pictures": pictures}, "\n".join(lines)


def insist(outcomes: list[tuple[str, tuple[str, ...]]], verdict: str) -> None:
    """Raise VerificationError with the verdict and all failures, each behind its name, if there are any."""
    failures = [f"{name}: {failure}" for name, found in outcomes for failure in found]
    if failures:
        raise VerificationError(f"{verdict}, because {'; '.join(failures)}")


def _exclude(run: str | None, model: Path | None) -> None:
    if run and model:
        raise UsageError("--run and --model exclude each other; name one of them")


def _source(name: str, model_file: Path, origin: Mapping[str, Any], dataset: Dataset, golden: str | None) -> Source:
    from mnist_edge_trainer.data import load, split

    parts, carried = split(dataset), load(golden) if golden else None
    _load_tensorflow()
    from mnist_edge_exporters.source import Source

    return Source.load(name, model_file, origin, dataset, parts, carried)


def _load_tensorflow() -> None:
    """Import it without its greetings, which are for its developers; no setting silences them all."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with quiet():
        import tensorflow  # noqa: F401
