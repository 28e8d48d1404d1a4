"""Measure how long a file takes for one image on this machine.

Each file runs in a process of its own. All are loaded before any is timed, and then take turns.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from mnist_edge_runtime import Classifier, MnistEdgeError
from mnist_edge_runtime.diagnostics.turn_process import Child
from numpy.typing import NDArray

__all__ = ["measure"]

_TURNS = 15
_TURN_NANOSECONDS = 30_000_000  # time rather than repeats: int16x8 takes a hundred times as long as int8
_WARM_UP = 10  # images at the start of a turn; what others did meanwhile has emptied the caches


def measure(runs: Sequence[tuple[Path, str]], images: NDArray[np.uint8]) -> dict[tuple[Path, str], float]:
    """Return the median time of one image, in microseconds, of each file on its engine.

    Timed is `Classifier.logits` of a single image on one thread, as a device calls it.

    Args:
        runs: pairs of a sealed file and the engine to run it on.
        images: uint8 (N, 28, 28), given one by one, over and over.

    Raises:
        EngineError: an engine cannot run its file, or crashed over it.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mnist-edge-")))
        np.save(folder / "images.npy", images)
        children: dict[tuple[Path, str], Child] = {}
        for file, engine in dict.fromkeys(runs):
            command = [sys.executable, "-m", __name__, str(file), engine, str(folder / "images.npy")]
            children[file, engine] = stack.enter_context(Child(command, engine=engine))
        for child in children.values():
            child.wait()
        for _ in range(_TURNS):
            for child in children.values():
                child.take_turn()
        return {run: float(child.result()) for run, child in children.items()}


def main(file: str, engine: str, images: str) -> int:
    """Do it, in the child: a turn for each line on stdin, at its end the median in microseconds."""
    try:
        with Classifier.load(file, engine=engine) as classifier:
            singles = np.load(images)
            nanoseconds: list[int] = []
            print(flush=True)
            for _ in sys.stdin.buffer:
                nanoseconds += _turn(classifier, singles)
                print(flush=True)
            print(np.median(nanoseconds) / 1000)
    except MnistEdgeError as error:
        print(str(error).removeprefix(f"{file}: "), file=sys.stderr)
        return error.exit_code
    return 0


def _turn(classifier: Classifier, singles: NDArray[np.uint8]) -> list[int]:
    """Return how long each image of one turn took, in nanoseconds; `singles` is (N, 28, 28)."""
    for number in range(_WARM_UP):
        classifier.logits(singles[number % len(singles)])
    found: list[int] = []
    end = time.perf_counter_ns() + _TURN_NANOSECONDS
    while (start := time.perf_counter_ns()) < end or not found:
        classifier.logits(singles[len(found) % len(singles)])
        found.append(time.perf_counter_ns() - start)
    return found


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
