"""Measure the latency of exported files on this machine, with the device's own benchmark: both give the same figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mnist_edge_runtime import EngineError
from mnist_edge_runtime.diagnostics.benchmark import benchmark

__all__ = ["measure"]


def measure(runs: Sequence[tuple[Path, str]]) -> dict[tuple[Path, str], float]:
    """Return the median time of one image on one thread, in microseconds, of each file on its engine.

    Timed is the engine's own work on the file's golden images, as `mnist-edge-runtime benchmark` shows it.

    Args:
        runs: pairs of a sealed file and the engine to run it on.

    Raises:
        EngineError: an engine cannot run its file, or crashed.
    """
    unique = list(dict.fromkeys(runs))
    found = benchmark(unique, engine_only=True)
    if found.errors:
        raise EngineError(found.errors[0][2])
    return {
        run: measurement.latency_us["engine"]["p50"]
        for run, measurement in zip(unique, found.measurements, strict=True)
    }
