"""The runtimes on the boards: what each can load by the table, and whether it really runs a file.

`operator_versions.json` holds, for each TFLite interpreter, the newest version of each operator that it knows; it is
written by `scripts/operator_versions.py`, which asks the interpreters themselves.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed_version
from importlib.resources import files

import numpy as np
import onnx
from mnist_edge_runtime import Contract, UsageError
from mnist_edge_runtime.engines.registry import ENGINES, names_for

__all__ = ["Target", "incompatibility", "targets_for", "targets_of"]

# Newest opset and IR version since each release, found by offering it graphs of rising versions. The published table
# (https://onnxruntime.ai/docs/reference/compatibility.html) ends at 1.20 and agrees with these.
_ONNXRUNTIME: Mapping[tuple[int, int], tuple[int, int]] = {
    (1, 15): (19, 9),
    (1, 17): (20, 9),
    (1, 18): (21, 10),
    (1, 21): (22, 10),
    (1, 23): (23, 11),
    (1, 24): (25, 13),
    (1, 26): (26, 13),
    (1, 32): (28, 14),
}


@dataclass(frozen=True)
class Target:
    """A runtime that a file is meant for: an engine in some version."""

    engine: str
    version: str

    def __str__(self) -> str:
        return f"{self.engine}=={self.version}"

    @property
    def is_installed(self) -> bool:
        """Whether exactly this version can be asked on this machine."""
        # tflite-runtime imports under numpy 2 and then fails over every file.
        usable = self.engine != "tflite-runtime" or int(np.__version__.split(".")[0]) < 2
        return usable and _installed(self.engine) == self.version


_LAST_TFLITE_RUNTIME = Target("tflite-runtime", "2.14.0")


def targets_for(format: str, names: Sequence[str] = (), *, must_run: bool = False) -> list[Target]:
    """Return the targets for files of `format` that `names` holds, else the default ones.

    By default a file must run on the engines of its format here, and a TFLite file also load on tflite-runtime 2.14.0;
    one that must have run where it is used is for the engines here alone.

    Args:
        format: "tflite" or "onnx".
        names: as `--target-runtime` takes them, "ENGINE" or "ENGINE==VERSION"; those of the other format are left out.
        must_run: as `spec.must_run` says of the file's cell.

    Raises:
        UsageError: an unknown engine, or a version that neither is installed nor stands in the table.
    """
    targets = [target for target in map(_target, names) if ENGINES[target.engine].format == format]
    if targets:
        return targets
    targets = [Target(name, found) for name in names_for(format) if (found := _installed(name))]
    if must_run:
        return [target for target in targets if target.is_installed]
    return targets if format != "tflite" or _LAST_TFLITE_RUNTIME in targets else [*targets, _LAST_TFLITE_RUNTIME]


def targets_of(contract: Contract) -> list[Target]:
    """Return the runtimes that a file is for by its contract, in the versions that are installed here, if they are."""
    return [
        Target(runtime["engine"], _installed(runtime["engine"]) or runtime["version"]) for runtime in contract.runtimes
    ]


def _target(name: str) -> Target:
    engine, _, wanted = name.partition("==")
    if engine not in ENGINES:
        raise UsageError(f"--target-runtime {name}: unknown; choose from {', '.join(ENGINES)}, or ENGINE==VERSION")
    target = Target(engine, wanted or _installed(engine) or "")
    if not target.version:
        raise UsageError(f"--target-runtime {name}: not installed here, so name a version: {engine}==VERSION")
    if not target.is_installed and _known(target) is None:
        raise UsageError(f"--target-runtime {name}: neither installed here nor in the table of versions")
    return target


def incompatibility(target: Target, payload: bytes) -> str | None:
    """Return why the table says that `target` cannot load the payload, None where it has no objection."""
    known = _known(target)
    if known is None:
        return None
    if ENGINES[target.engine].format == "onnx":
        model = onnx.load_from_string(payload)
        opset = max(entry.version for entry in model.opset_import if entry.domain == "")
        if opset > known["opset"] or model.ir_version > known["ir"]:
            return f"opset {opset}, IR {model.ir_version}; it knows opset {known['opset']}, IR {known['ir']}"
        return None
    too_new = [
        f"{name} version {number} (it knows {known.get(name, 'none')})"
        for name, number in sorted(_operators(payload))
        if number > known.get(name, 0)
    ]
    return ", ".join(too_new) or None


def _installed(engine: str) -> str | None:
    try:
        return installed_version(ENGINES[engine].distribution)
    except PackageNotFoundError:
        return None


@cache
def _operator_table() -> Mapping[str, Mapping[str, int]]:
    text = files(__package__).joinpath("operator_versions.json").read_text(encoding="utf-8")
    table: Mapping[str, Mapping[str, int]] = json.loads(text)
    return table


def _known(target: Target) -> Mapping[str, int] | None:
    """Return the operators with their newest versions, or opset and IR, that the target knows; None if not tabled."""
    if target.engine != "onnxruntime":
        return _operator_table().get(str(target))
    try:
        release = tuple(int(part) for part in target.version.split(".")[:2])
    except ValueError:
        return None
    tabled = [limits for since, limits in _ONNXRUNTIME.items() if since <= release]
    return {"opset": tabled[-1][0], "ir": tabled[-1][1]} if tabled else None


def _operators(payload: bytes) -> set[tuple[str, int]]:
    """Return name and version of each operator in a TFLite file."""
    from tensorflow.lite.python import schema_py_generated as schema

    names = {code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}
    model = schema.Model.GetRootAs(payload, 0)
    codes = [model.OperatorCodes(index) for index in range(model.OperatorCodesLength())]
    return {(names[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())], code.Version()) for code in codes}
