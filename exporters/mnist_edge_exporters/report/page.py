"""Assemble the report page and write it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from mnist_edge_runtime import __version__, confidence_interval
from mnist_edge_runtime.command_line import tell
from mnist_edge_runtime.engines.registry import ENGINES, names_for
from mnist_edge_runtime.files import atomic_path
from numpy.typing import NDArray

from .. import keras_model
from ..analysis import latency, layer_drift
from ..analysis.layer_drift import LayerDrift
from ..parity import comparison
from ..parity.targets import Target
from ..source import Source
from ..spec import formats
from . import charts, gallery, images, provenance
from .evidence import Evidence, collect

__all__ = ["WrittenPage", "write"]

_Latencies = Mapping[tuple[Path, Target], float]

_MOST_CHANGED = 60  # predictions
_MOST_CONFUSIONS = 12  # pairs of classes


@dataclass(frozen=True)
class WrittenPage:
    """A written page and the measurements made for it.

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


def write(source: Source, folder: Path, record: Mapping[str, Any]) -> WrittenPage:
    """Measure drift and latency, and write `folder`/report.html.

    Args:
        source: the run's model and data.
        folder: the run's, with its plots and `exports/`, each of which may be missing.
        record: the contents of its `run.json`.

    Raises:
        InputError: a file of the run cannot be read, or was proven on another test set.
        EngineError: an engine that ran a file when it was exported no longer does.
    """
    evidence = collect(folder / "exports", keras_model.weights_sha256(source.own_network))
    changed = gallery.collect(evidence, source)
    latencies = _latencies(evidence)
    text = (
        _environment()
        .get_template("page.html")
        .render(
            name=source.name,
            record=record,
            **_reading(source),
            evidence=evidence,
            file_warnings=_warnings(evidence),
            latencies=latencies,
            **_best(evidence, latencies),
            plots=_trade_offs(evidence, latencies),
            shown=_shown(evidence),
            mark=charts.mark,
            curves=images.embedded(folder / "learning_curves.png"),
            confusion=images.embedded(folder / "confusion_matrix.png"),
            changed=changed,
            most_changed=_MOST_CHANGED,
            drifts=_drifts(evidence, source),
            calibrations=provenance.calibrations(evidence),
            run_tables=provenance.run_tables(record),
            file_tables=provenance.file_tables(evidence),
            machine=provenance.machine(),
            today=datetime.date.today().isoformat(),
            version=__version__,
        )
    )
    file = folder / "report.html"
    with source.unchanged(), atomic_path(file) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return WrittenPage(file, evidence, latencies)


def _warnings(evidence: Sequence[Evidence]) -> dict[str, list[str]]:
    """Return each warning of an export with the variants that carry it."""
    found: dict[str, list[str]] = {}
    for each in evidence:
        for warning in each.warnings:
            found.setdefault(warning, []).append(each.variant)
    return found


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("mnist_edge_exporters", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _series() -> Mapping[str, Mapping[str, int]]:
    """Return the colour and shape of each engine, and of each format: that of its preferred engine."""
    engines = {name: number % charts.SERIES for number, name in enumerate(ENGINES)}
    return {"engines": engines, "formats": {name: engines[names_for(name)[0]] for name in formats()}}


def _shown(evidence: Sequence[Evidence]) -> Mapping[str, Mapping[str, int]]:
    """Return the part of `_series` that the diagrams show."""
    ran = [(each, verdict) for each in evidence for verdict in each.verdicts if verdict.figures]
    there = {
        "engines": {verdict.target.engine for _, verdict in ran if verdict.is_timed},
        "formats": {each.contract.format for each, _ in ran if each.contract},
    }
    series = _series().items()
    return {kind: {name: number for name, number in row.items() if name in there[kind]} for kind, row in series}


def _latencies(evidence: Sequence[Evidence]) -> _Latencies:
    timed = [(each.file, verdict.target) for each in evidence for verdict in each.verdicts if verdict.is_timed]
    if timed:
        tell(f"measuring latency: {len(evidence)} files on their engines, in turns")
    found = latency.measure([(file, target.engine) for file, target in timed])
    return {(file, target): found[file, target.engine] for file, target in timed}


def _drifts(
    evidence: Sequence[Evidence], source: Source
) -> list[tuple[str, tuple[LayerDrift, ...], float, int | None]]:
    """Return for each quantized file its variant, its layers, the largest ratio, and the index of the steepest fall."""
    found = []
    quantized = [e for e in evidence if e.contract and not e.problem and layer_drift.is_measurable(e.contract)]
    measured = layer_drift.measure_each([each.file for each in quantized], source)
    for each in quantized:
        tell(f"measuring drift: {each.variant}")
        layers = next(measured)
        longest = max((layer.sqnr_db or 0 for layer in layers), default=0)
        found.append((each.variant, layers, max(longest, 1), layer_drift.steepest(layers)))
    return found


def _reading(source: Source) -> dict[str, Any]:
    """Return the Keras model's accuracy and its most frequent mistakes on the test images."""
    from sklearn.metrics import confusion_matrix

    pixels, labels = source.test
    answers = comparison.reference_probabilities(source.model, pixels).argmax(axis=1)
    right = int((answers == labels).sum())
    counts = confusion_matrix(labels, answers, labels=range(len(source.labels)))
    return {
        "images": len(labels),
        "accuracy": right / len(labels),
        "interval": confidence_interval.wilson(right, len(labels)),
        "few_images": confidence_interval.few_images_warning(len(labels)),
        "confusions": _confusions(counts, source.labels),
    }


def _best(evidence: Sequence[Evidence], latencies: _Latencies) -> dict[str, Any]:
    """Return the proven files, the smallest of them, and the time, variant and engine of the fastest."""
    proven = [each for each in evidence if each.is_proven]
    names = {each.file: each.variant for each in proven}
    timed = [(time, names[file], target.engine) for (file, target), time in latencies.items() if file in names]
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
    series = _series()
    sizes: dict[Path, charts.Point] = {}
    times: list[charts.Point] = []
    for each, verdict in ran:
        assert each.contract
        assert verdict.figures
        name = each.variant.removeprefix(f"{each.contract.format}-")
        accuracy = verdict.figures["accuracy"]
        # A file has one size; of its accuracies, that of the first runtime stands for it.
        sizes.setdefault(each.file, charts.Point(name, each.contract.format, each.size / 1000, accuracy))
        if time := latencies.get((each.file, verdict.target)):
            times.append(charts.Point(name, verdict.target.engine, time, accuracy))
    plots = {"size": charts.trade_off(list(sizes.values()), reference, "KB", series["formats"])}
    if times:
        plots["latency"] = charts.trade_off(times, reference, "µs", series["engines"])
    return plots


def _confusions(counts: NDArray[np.int64], labels: Sequence[str]) -> list[tuple[str, str, int, int]]:
    """Return the most frequent mistakes: the true class, the answer, their number, and the images of the class."""
    wrong = counts.copy()
    np.fill_diagonal(wrong, 0)
    order = np.argsort(-wrong, axis=None, kind="stable")[:_MOST_CONFUSIONS]
    places = [divmod(int(place), len(labels)) for place in order]
    return [(labels[a], labels[b], int(wrong[a, b]), int(counts[a].sum())) for a, b in places if wrong[a, b]]
