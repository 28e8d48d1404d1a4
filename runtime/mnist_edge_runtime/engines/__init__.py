"""The engines that can run a model file, and how one of them is chosen.

An engine counts as present only when it has really run the file: some import and then fail.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np

from ..contract import Contract
from ..errors import EngineError, UsageError

if TYPE_CHECKING:
    from .engine import Engine

__all__ = ["ENGINES", "EngineRow", "candidates", "load", "missing", "names_for"]


@dataclass(frozen=True)
class EngineRow:
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
ENGINES: Mapping[str, EngineRow] = {
    "litert": EngineRow("litert", "ai_edge_litert.interpreter", "ai-edge-litert", "litert", "tflite", "xnnpack"),
    "tflite-runtime": EngineRow(
        "litert", "tflite_runtime.interpreter", "tflite-runtime", "tflite-runtime", "tflite", "builtin"
    ),
    "onnxruntime": EngineRow("onnx", "onnxruntime", "onnxruntime", "onnx", "onnx", "onnxruntime"),
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


def missing(name: str) -> str:
    """Return the sentence for an engine that is not installed, with what to do."""
    from .. import wheels  # which knows the engines

    wrong, mend = wheels.missing(name, wheels.Platform.here())
    return f"{name} {wrong.removeprefix('it ')} ({mend})"


def load(payload: bytes, contract: Contract, *, engine: str | None = None, threads: int = 1) -> tuple[str, Engine]:
    """Return the name and the engine of the first (or of the named one) that the file is for and that runs it here.

    Raises:
        UsageError: `engine` is unknown or is not for this format, or `threads` is below 1.
        EngineError: none could run it; the message has the reason of each.
    """
    names = candidates(contract.format, engine)
    if threads < 1:
        raise UsageError(f"threads is {threads}, expected 1 or more")
    # A draft that is still to be proven names none.
    proven = [runtime.get("engine") for runtime in contract.runtimes]
    reasons = []
    for name in names:
        row = ENGINES[name]
        imported = False
        if proven and name not in proven:
            reasons.append(f"the file is not for {name} (mnist-edge export --target-runtime {name} proves one that is)")
            continue
        try:
            import_module(row.library)
            imported = True
            loaded: Engine = import_module(f".{row.module}", __name__).load(payload, contract, threads, row.library)
            loaded.run(np.zeros((1, 28, 28), np.uint8))
            return name, loaded
        except ModuleNotFoundError:
            reasons.append(missing(name))
        except Exception as error:  # engines fail in ways of their own, AttributeError and SystemError among them
            first_line = (str(error).strip() or type(error).__name__).splitlines()[0]
            reasons.append(f"{name} cannot run it: {first_line}")
        if imported:
            break  # LiteRT and tflite-runtime in one process can end it with a signal
    raise EngineError(f"no engine here runs this {contract.format} file: {'; '.join(reasons)}")
