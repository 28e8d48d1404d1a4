"""Put the page together and write it."""

from __future__ import annotations

import csv
import datetime
import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from mnist_edge_runtime import InputError, __version__
from mnist_edge_runtime.engines.registry import ENGINES, names_for
from numpy.typing import NDArray

from .. import keras_model
from ..analysis import latency, layer_drift
from ..analysis.layer_drift import LayerDrift
from ..parity import comparison, metrics
from ..parity.targets import Target
from ..source import Source
from ..spec import Format
from . import charts, gallery, provenance
from .evidence import Evidence, collect

__all__ = ["Report", "write"]

_Latencies = Mapping[tuple[Path, Target], float]

_MOST_FLIPS = 60
_MOST_CONFUSIONS = 12
# Colours and shapes; a format has those of the engine that is tried first for it.
_ENGINES = {name: number % charts.SERIES for number, name in enumerate(ENGINES)}
_FORMATS = {name.value: _ENGINES[names_for(name)[0]] for name in Format}


@dataclass(frozen=True)
class Report:
    """A written page and what was measured for it.

    Attributes:
        file: the page.
        evidence: the exports that it shows.
        latencies: the median time of one image in microseconds of each file on each runtime of this machine.
    """

    file: Path
    evidence: tuple[Evidence, ...]
    latencies: _Latencies

    def to_dict(self) -> dict[str, Any]:
        """Return what `report --json` prints."""
        return {
            "report": str(self.file),
            "exports": [
                {
                    "file": str(each.file),
                    "problem": each.problem or None,
                    "runtimes": [
                        {
                            "engine": verdict.target.engine,
                            "version": verdict.target.version,
                            "verdict": verdict.word,
                            "p50_us": self.latencies.get((each.file, verdict.target)),
                        }
                        for verdict in each.verdicts
                    ],
                }
                for each in self.evidence
            ],
        }


def write(source: Source, folder: Path, record: Mapping[str, Any]) -> Report:
    """Measure what is not known yet, and write `folder`/report.html.

    Args:
        source: the run's model and data.
        folder: the run's, with `history.csv` and `exports/`, either of which may be missing.
        record: what its `run.json` holds.

    Raises:
        InputError: a file of the run cannot be read, or was proven on another test set.
        EngineError: an engine that ran a file when it was exported no longer does.
    """
    evidence = collect(folder / "exports", keras_model.weights_sha256(source.model))
    history = _history(folder / "history.csv")
    flips = gallery.flips(evidence, source)
    latencies = _latencies(evidence, source)
    text = (
        _environment()
        .get_template("page.html")
        .render(
            name=source.name,
            record=record,
            **_reading(source),
            evidence=evidence,
            latencies=latencies,
            **_best(evidence, latencies),
            plots=_trade_offs(evidence, latencies),
            engines=_ENGINES,
            formats=_FORMATS,
            curves={key: charts.learning_curve(history, key) for key in ("loss", "accuracy")} if history else {},
            flips=flips,
            most_flips=_MOST_FLIPS,
            drifts=_drifts(evidence, source),
            passports=provenance.passports(evidence),
            run_tables=provenance.run_tables(record),
            file_tables=provenance.file_tables(evidence),
            machine=provenance.machine(),
            today=datetime.date.today().isoformat(),
            version=__version__,
        )
    )
    file = folder / "report.html"
    _replace(file, text)
    return Report(file, evidence, latencies)


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("mnist_edge_exporters", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _history(file: Path) -> dict[str, list[float]]:
    """Return the columns of a run's history; empty where there is none."""
    if not file.is_file():
        return {}
    try:
        with open(file, newline="", encoding="utf-8") as stream:
            rows = list(csv.DictReader(stream))
        if not rows:
            raise ValueError("it has no epoch")
        return {key: [float(row[key]) for row in rows] for key in ("loss", "accuracy", "val_loss", "val_accuracy")}
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{file}: cannot be read ({error}); train the run again") from None


def _latencies(evidence: Sequence[Evidence], source: Source) -> _Latencies:
    timed = [(each.file, verdict.target) for each in evidence for verdict in each.verdicts if verdict.is_timed]
    if timed:
        print(f"measuring latency: {len(evidence)} files on their engines, in turns", file=sys.stderr)
    found = latency.measure([(file, target.engine) for file, target in timed])
    return {(file, target): found[file, target.engine] for file, target in timed}


def _drifts(
    evidence: Sequence[Evidence], source: Source
) -> list[tuple[str, tuple[LayerDrift, ...], float, int | None]]:
    """Return for each quantized file its cell, its layers, the ratio of the longest bar, and the layer to blame."""
    found = []
    for each in evidence:
        if each.contract and not each.problem and layer_drift.is_measurable(each.contract):
            print(f"measuring drift: {each.cell}", file=sys.stderr)
            layers = layer_drift.measure(each.file, source)
            longest = max((layer.sqnr_db or 0 for layer in layers), default=0)
            found.append((each.cell, layers, max(longest, 1), layer_drift.steepest(layers)))
    return found


def _reading(source: Source) -> dict[str, Any]:
    """Return how the Keras model reads the test images."""
    images, labels = source.test
    answers = comparison.reference_probabilities(source.model, images).argmax(axis=1)
    counts = np.zeros((len(source.labels), len(source.labels)), np.int64)
    np.add.at(counts, (labels, answers), 1)
    right = int(np.trace(counts))
    return {
        "images": len(labels),
        "accuracy": right / len(labels),
        "interval": metrics.wilson(right, len(labels)),
        "confusion": charts.confusion_matrix(counts, source.labels),
        "confusions": _confusions(counts, source.labels),
    }


def _best(evidence: Sequence[Evidence], latencies: _Latencies) -> dict[str, Any]:
    """Return the proven files, the smallest of them, and the time, cell and engine of the fastest."""
    proven = [each for each in evidence if each.is_proven]
    cells = {each.file: each.cell for each in proven}
    timed = [(time, cells[file], target.engine) for (file, target), time in latencies.items() if file in cells]
    return {
        "proven": proven,
        "smallest": min(proven, key=lambda each: each.size, default=None),
        "fastest": min(timed, default=None),
    }


def _trade_offs(evidence: Sequence[Evidence], latencies: _Latencies) -> dict[str, Markup]:
    """Return the diagrams of size and of latency against accuracy; empty where no file ran."""
    ran = [(each, verdict) for each in evidence for verdict in each.verdicts if verdict.figures]
    if not ran:
        return {}
    assert ran[0][1].figures
    reference = ran[0][1].figures["reference_accuracy"]
    sizes: dict[Path, charts.Point] = {}
    times: list[charts.Point] = []
    for each, verdict in ran:
        assert each.contract
        assert verdict.figures
        name = each.cell.removeprefix(f"{each.contract.format}-")
        accuracy = verdict.figures["accuracy"]
        # A file has one size; of its accuracies, that of the first runtime stands for it.
        sizes.setdefault(each.file, charts.Point(name, each.contract.format, each.size / 1024, accuracy))
        if time := latencies.get((each.file, verdict.target)):
            times.append(charts.Point(name, verdict.target.engine, time, accuracy))
    plots = {"size": charts.trade_off(list(sizes.values()), reference, "KB", _FORMATS)}
    if times:
        plots["latency"] = charts.trade_off(times, reference, "µs", _ENGINES)
    return plots


def _confusions(counts: NDArray[np.int64], labels: Sequence[str]) -> list[tuple[str, str, int, int]]:
    """Return the most frequent mistakes: the true class, the answer, how often, and of how many."""
    wrong = counts.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:_MOST_CONFUSIONS]
    places = [divmod(int(place), len(labels)) for place in order]
    return [(labels[a], labels[b], int(wrong[a, b]), int(counts[a].sum())) for a, b in places if wrong[a, b]]


def _replace(file: Path, text: str) -> None:
    temporary = file.with_name(f".{secrets.token_hex(4)}.{file.name}")
    try:
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, file)
    finally:
        temporary.unlink(missing_ok=True)
