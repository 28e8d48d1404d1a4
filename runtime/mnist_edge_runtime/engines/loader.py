"""Choose the engine for a model file and load the file into it.

An engine counts as present only when it has really run the file: some import and then fail.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np

from ..errors import EngineError, UsageError, reason
from ..model_file.contract import IMAGE_SHAPE, Contract
from .registry import ENGINES, candidates

if TYPE_CHECKING:
    from .base import Engine, LoadedModel

__all__ = ["load", "load_unverified"]


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
            loaded: Engine = import_module(f".{row.module}", __package__).load(payload, contract, threads, row.library)
            loaded.run(np.zeros((1, *IMAGE_SHAPE), np.uint8))
            return name, loaded
        except ModuleNotFoundError:
            from .availability import not_installed  # like all that only failures need: loading stays quick

            reasons.append(not_installed(name))
        except Exception as error:  # engines fail in ways of their own, AttributeError and SystemError among them
            reasons.append(f"{name} cannot run it: {reason(error)}")
        if imported:
            break  # LiteRT and tflite-runtime in one process can end it with a signal
    raise EngineError(f"no engine here runs this {contract.format} file: {'; '.join(reasons)}")


def load_unverified(payload: bytes, engine: str) -> LoadedModel:
    """Return a model without a contract, on one thread; raises whatever the library raises, installed or not."""
    row = ENGINES[engine]
    loaded: LoadedModel = import_module(f".{row.module}", __package__).load_model(payload, 1, row.library)
    return loaded
