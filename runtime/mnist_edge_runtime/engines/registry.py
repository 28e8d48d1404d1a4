"""The table of the engines that can run a model file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import UsageError

__all__ = ["ENGINES", "EngineInfo", "candidates", "names_for"]


@dataclass(frozen=True)
class EngineInfo:
    """One row of the table of engines.

    Attributes:
        module: the module of this package that holds `load(payload, contract, threads, library)`.
        library: the module that the engine itself is imported from.
        distribution: what pip calls it.
        extra: the extra of mnist-edge-runtime that installs it.
        format: the format of model file it runs.
        family: the kernels it computes with; within a family int8 answers are the same to the bit.
    """

    module: str
    library: str
    distribution: str
    extra: str
    format: str
    family: str


# In the order in which they are tried.
ENGINES: Mapping[str, EngineInfo] = {
    "litert": EngineInfo("litert", "ai_edge_litert.interpreter", "ai-edge-litert", "litert", "tflite", "xnnpack"),
    "tflite-runtime": EngineInfo(
        "litert", "tflite_runtime.interpreter", "tflite-runtime", "tflite-runtime", "tflite", "builtin"
    ),
    "onnxruntime": EngineInfo("onnxruntime", "onnxruntime", "onnxruntime", "onnx", "onnx", "onnxruntime"),
}


def names_for(format: str) -> list[str]:
    """Return the names of the engines that run files of `format`, the preferred one first."""
    return [name for name, row in ENGINES.items() if row.format == format]


def candidates(format: str, engine: str | None = None) -> list[str]:
    """Return the engines to try for a file of `format`: those that run it, or the one that is insisted on.

    Raises:
        UsageError: `engine` is unknown or is not for this format.
    """
    names = names_for(format)
    if engine is None:
        return names
    if engine not in names:
        raise UsageError(f"engine {engine!r} does not run {format} files; choose from {', '.join(names)}")
    return [engine]
