"""Tabulate the provenance of a run and its files: names and values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mnist_edge_runtime.host import Host

from .evidence import Evidence

__all__ = ["CalibrationRecord", "Table", "calibrations", "file_tables", "machine", "run_tables"]


@dataclass(frozen=True)
class Table:
    """A title and rows of a name and a value."""

    title: str
    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class CalibrationRecord:
    """The provenance of a calibration set, from the contracts of the variants that share it."""

    variants: tuple[str, ...]
    table: Table
    per_class: Mapping[str, int]


def run_tables(record: Mapping[str, Any]) -> list[Table]:
    """Return the contents of `run.json`, except the path of the data on the machine that trained."""
    record = {**record, "dataset": {key: value for key, value in record["dataset"].items() if key != "source"}}
    groups = {name: value for name, value in record.items() if isinstance(value, Mapping)}
    single = {name: value for name, value in record.items() if name not in groups}
    return [
        Table("Run", _rows(single)),
        *(Table(_words(name).capitalize(), _rows(group)) for name, group in groups.items()),
    ]


def file_tables(evidence: Sequence[Evidence]) -> list[Table]:
    """Return for each readable file its hashes, tensors and the versions that made it."""
    tables = []
    for each in evidence:
        if each.contract:
            origin = each.contract.origin
            tensors = {
                name: spec.dtype
                + ("" if spec.dtype == "float32" else f", scale {spec.scale:.6g}, zero point {spec.zero_point}")
                for name, spec in (("image", each.contract.input), ("logits", each.contract.output))
            }
            payload = {"bytes": each.contract.payload.size, "sha256": each.contract.payload.sha256}
            facts = {"sha256": each.sha256, "payload": payload, **tensors}
            if "weights_sha256" in origin:
                facts["weights_sha256"] = origin["weights_sha256"]
            facts["made_with"] = [f"{name} {version}" for name, version in origin.get("versions", {}).items()]
            if pixels := {key: value for key, value in each.pixels.items() if key in ("reading", "as_is")}:
                facts["pixels"] = pixels
            tables.append(Table(each.file.name, _rows(facts)))
    return tables


def calibrations(evidence: Sequence[Evidence]) -> list[CalibrationRecord]:
    """Return the calibration records in the files' contracts, each with the variants that share it."""
    shared: list[tuple[Mapping[str, Any], list[str]]] = []
    for each in evidence:
        record = each.contract.origin.get("calibration") if each.contract else None
        if record:
            group = next((group for group in shared if group[0] == record), None)
            if group is None:
                shared.append(group := (record, []))
            group[1].append(each.variant)
    return [
        CalibrationRecord(
            variants=tuple(variants),
            table=Table("Provenance record", _rows({k: v for k, v in record.items() if k != "per_class"})),
            per_class=record.get("per_class") or {},
        )
        for record, variants in shared
    ]


def machine() -> str:
    """Describe this machine beside the latencies: processor, cores, system."""
    here = Host.here()
    return f"{here.cpu}, {here.cores} {'core' if here.cores == 1 else 'cores'}, {here.system} {here.processor}"


def _rows(facts: Mapping[str, Any], prefix: str = "") -> tuple[tuple[str, str], ...]:
    """Return a row for each value, those of nested mappings under joined names."""
    rows: list[tuple[str, str]] = []
    for name, value in facts.items():
        title = f"{prefix} {_words(name)}".strip()
        rows += _rows(value, title) if isinstance(value, Mapping) else [(title, _text(value))]
    return tuple(rows)


def _words(name: str) -> str:
    return name.replace("_", " ").replace("sha256", "SHA-256").replace("macs", "MACs")


def _text(value: Any) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:.6g}"
        case list() | tuple():
            return ", ".join(map(_text, value))
    return str(value)
