"""Put the layers of a reading in front of a source's model, and bring its labels into the order of the outputs."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from mnist_edge_runtime.errors import UsageError
from mnist_edge_runtime.model_file.contract import Contract

from ..source import LabelledImages, Source

if TYPE_CHECKING:
    from .readings import Reading

__all__ = ["apply", "as_contracted", "listed", "reading_of"]


def apply(source: Source, pixels: str | None = None, labels: str | None = None) -> Source:
    """Return the source as the options --pixels and --labels say, both of which may be None.

    Raises:
        UsageError: there is no such reading, or the labels are not those of the data.
    """
    if labels is not None:
        source = _relabelled(source, next(csv.reader([labels]), []))
    return source if pixels is None else _read_as(source, pixels)


def as_contracted(source: Source, contract: Contract) -> Source:
    """Return the source as it was when a file was exported: behind the layers, and with the labels, of its contract."""
    found = contract.origin.get("pixels") or {}
    if sorted(contract.labels) == sorted(source.labels):
        source = _relabelled(source, contract.labels)
    return _read_as(source, str(found["reading"])) if "reading" in found else source


def reading_of(source: Source) -> Reading:
    """Return the reading whose layers are in front of the source's model."""
    from .readings import AS_AGREED, parse

    found = source.origin.get("pixels", {})
    return parse(found["reading"]) if "reading" in found else AS_AGREED


def listed(labels: Sequence[str]) -> str:
    """Return labels as --labels takes them."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(labels)
    return line.getvalue()


def _read_as(source: Source, pixels: str) -> Source:
    from ..input_layers import in_front
    from .readings import AS_AGREED, parse
    from .scales import Statistics

    reading = parse(pixels)
    if reading == AS_AGREED:
        return source
    statistics = Statistics.of(source.train[0])
    model = in_front(source.model, lambda image: reading.apply(image, statistics))
    origin = {**source.origin, "pixels": {"reading": str(reading)}}
    return replace(source, model=model, network=source.model, origin=origin)


def _relabelled(source: Source, labels: Sequence[str]) -> Source:
    """Return the source with its labels in another order, and the images' indices to match."""
    if tuple(labels) == source.labels:
        return source
    if sorted(labels) != sorted(source.labels):
        raise UsageError(
            f"--labels {listed(labels)}: expected each label of the data once, in the order of the network's outputs: "
            f"{listed(source.labels)}"
        )
    places = np.array([list(labels).index(label) for label in source.labels])

    def moved(part: LabelledImages) -> LabelledImages:
        return part[0], places[part[1]]

    return replace(
        source,
        labels=tuple(labels),
        train=moved(source.train),
        validation=moved(source.validation),
        test=moved(source.test),
        golden=moved(source.golden),
    )
