"""The table of the engines that can run a model file: one complete row each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ..errors import UsageError

__all__ = ["ENGINES", "EngineInfo", "candidates", "names_for"]


class EngineInfo(NamedTuple):
    """One row of the table of engines; a named tuple, since every start waits for a frozen dataclass to be made.

    Attributes:
        module: the module of this package that holds `load(payload, contract, threads, library)`.
        library: the module that the engine itself is imported from.
        distribution: the name that pip knows it by.
        extra: the extra of mnist-edge-runtime that installs it.
        format: the format of model file it runs.
        family: the kernels it computes with; within a family int8 answers are the same to the bit.
        requirements: the arguments of `pip install` that install it.
        pythons: the lowest and the highest Python that it has wheels for.
        glibc: the architectures of Linux that it has wheels for, each with the lowest version of glibc.
    """

    module: str
    library: str
    distribution: str
    extra: str
    format: str
    family: str
    requirements: tuple[str, ...]
    pythons: tuple[tuple[int, int], tuple[int, int]]
    glibc: Mapping[str, tuple[int, int]]


# In the order in which they are tried.
ENGINES: Mapping[str, EngineInfo] = {
    "litert": EngineInfo(
        module="litert",
        library="ai_edge_litert.interpreter",
        distribution="ai-edge-litert",
        extra="litert",
        format="tflite",
        family="xnnpack",
        requirements=("ai-edge-litert>=2.0",),
        pythons=((3, 10), (3, 14)),
        glibc={"x86_64": (2, 27), "aarch64": (2, 27)},
    ),
    "tflite-runtime": EngineInfo(
        module="litert",
        library="tflite_runtime.interpreter",
        distribution="tflite-runtime",
        extra="tflite-runtime",
        format="tflite",
        family="builtin",
        requirements=("tflite-runtime>=2.14", "numpy<2"),
        pythons=((3, 9), (3, 11)),
        glibc={"x86_64": (2, 17), "aarch64": (2, 34), "armv7l": (2, 34)},
    ),
    "onnxruntime": EngineInfo(
        module="onnxruntime",
        library="onnxruntime",
        distribution="onnxruntime",
        extra="onnx",
        format="onnx",
        family="onnxruntime",
        requirements=("onnxruntime>=1.17",),
        pythons=((3, 10), (3, 14)),
        glibc={"x86_64": (2, 27), "aarch64": (2, 27)},
    ),
}


def names_for(format: str) -> list[str]:
    """Return the names of the engines that run files of `format`, the preferred one first."""
    return [name for name, row in ENGINES.items() if row.format == format]


def candidates(format: str, engine: str | None = None) -> list[str]:
    """Return the names of the engines to try for a file of `format`: `engine` alone where one is named.

    Raises:
        UsageError: `engine` is unknown or is not for this format.
    """
    names = names_for(format)
    if engine is None:
        return names
    if engine not in names:
        raise UsageError(f"engine {engine!r} does not run {format} files; choose from {', '.join(names)}")
    return [engine]
