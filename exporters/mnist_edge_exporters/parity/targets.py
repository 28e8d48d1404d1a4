"""Choose the runtimes that a file is for, and look up in tables of versions which of them can load it.

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

from mnist_edge_runtime import Contract, UsageError
from mnist_edge_runtime.engines.registry import ENGINES, names_for
from packaging.requirements import Requirement

from ..converters.registry import CONVERTERS

__all__ = ["Target", "incompatibility", "targets_for", "targets_of"]

# For engines that only ever learn more: the newest versions that they know, since each release.
# onnxruntime: opset and IR version, found by offering it graphs of rising versions. The published table
# (https://onnxruntime.ai/docs/reference/compatibility.html) ends at 1.20 and agrees with these.
_SINCE_RELEASE: Mapping[str, Mapping[tuple[int, int], Mapping[str, int]]] = {
    "onnxruntime": {
        (1, 15): {"opset": 19, "IR": 9},
        (1, 17): {"opset": 20, "IR": 9},
        (1, 18): {"opset": 21, "IR": 10},
        (1, 21): {"opset": 22, "IR": 10},
        (1, 23): {"opset": 23, "IR": 11},
        (1, 24): {"opset": 25, "IR": 13},
        (1, 26): {"opset": 26, "IR": 13},
        (1, 32): {"opset": 28, "IR": 14},
    },
}


@dataclass(frozen=True)
class Target:
    """A runtime that a file is meant for: a version of an engine."""

    engine: str
    version: str

    def __str__(self) -> str:
        return f"{self.engine}=={self.version}"

    @property
    def is_installed(self) -> bool:
        """Whether exactly this version runs files on this machine; the integer network is no engine."""
        if self.engine not in ENGINES:
            return False
        # tflite-runtime imports under numpy 2 and then fails with every file.
        met = (_is_met(Requirement(text)) for text in ENGINES[self.engine].requirements)
        return _installed(self.engine) == self.version and all(met)


def targets_for(format: str, names: Sequence[str] = (), *, must_run: bool = False) -> list[Target]:
    """Return the targets among `names` for files of `format`, or the default targets if there are none.

    By default a file must run on the engines of its format here, and load on the targets that its converter's row
    adds; a file that must have run on each of its runtimes is for the engines here alone.

    Args:
        format: a key of `CONVERTERS`.
        names: as `--target-runtime` takes them, "ENGINE" or "ENGINE==VERSION"; those of other formats are left out.
        must_run: the entry of that name in `VariantInfo`.

    Raises:
        UsageError: an unknown engine, or a version that is neither installed nor in the tables.
    """
    targets = [target for target in map(_target, names) if ENGINES[target.engine].format == format]
    if targets:
        return targets
    targets = [Target(name, found) for name in names_for(format) if (found := _installed(name))]
    if must_run:
        return [target for target in targets if target.is_installed]
    also = [Target(*name.split("==")) for name in CONVERTERS[format].also_for]
    return [*targets, *(target for target in also if target not in targets)]


def targets_of(contract: Contract) -> list[Target]:
    """Return the runtimes in a file's contract, each in the version installed here, else in the contract's."""
    return [
        Target(runtime["engine"], _installed(runtime["engine"]) or runtime["version"])
        for runtime in contract.runtimes
        if runtime["engine"] in ENGINES  # the integer network is no engine, and always takes part
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
    """Return why `target` cannot load the payload by the tables of versions; None where they do not object."""
    known = _known(target)
    if known is None:
        return None
    needed = CONVERTERS[ENGINES[target.engine].format].requirements(payload)
    too_new = [
        f"{name} version {number} (it knows {known.get(name, 'none')})"
        for name, number in sorted(needed.items())
        if number > known.get(name, 0)
    ]
    return ", ".join(too_new) or None


def _is_met(requirement: Requirement) -> bool:
    try:
        return requirement.specifier.contains(installed_version(requirement.name), prereleases=True)
    except PackageNotFoundError:
        return False


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
    """Return the newest versions that the target knows, by name; None where no table has the target."""
    exact = _operator_table().get(str(target))
    since = _SINCE_RELEASE.get(target.engine)
    if exact or not since:
        return exact
    try:
        release = tuple(int(part) for part in target.version.split(".")[:2])
    except ValueError:
        return None
    return next((since[first] for first in sorted(since, reverse=True) if first <= release), None)
