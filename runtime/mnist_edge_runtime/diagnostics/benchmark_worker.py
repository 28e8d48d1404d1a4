"""Measure one file on one engine, in a process of its own: the arguments are FILE and ENGINE.

A turn is "single" (images one by one), "engine" (the same without preprocessing, which takes longer than all else) or
"batch" (images together, on several numbers of threads). All batch turns come last, so that peak memory is that of a
program that classifies one image after the other.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from time import perf_counter_ns as now
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import host
from ..classifier import Classifier
from ..engines.tensor_codec import Tensor
from ..errors import EngineError, MnistEdgeError
from ..model_file import sealed_model
from ..model_file.contract import IMAGE_SHAPE
from ..preprocessing import mnist
from ..time_limit import ENDLESS, SECONDS, Limit, time_limit

__all__ = ["main"]

_STAGES = ("preprocessing", "engine", "rest", "together")
_BATCHES = (1, 4, 16, 64, 256)

_SINGLES = 100  # images in a turn, at least
_TURN_NANOSECONDS = 50_000_000  # of a turn of single images, at least
_WARM_UP = 20  # images at the start of a turn; other processes have evicted the caches
_BATCH_NANOSECONDS = 10_000_000  # of each size of batch in a turn, at least


class _Stopwatch:
    """Wrap an engine's run, and keep the time that the last one took."""

    def __init__(self, run: Callable[[Tensor], Tensor]) -> None:
        self._run, self.nanoseconds = run, 0

    def __call__(self, tensor: Tensor) -> Tensor:
        start = now()
        answers = self._run(tensor)
        self.nanoseconds = now() - start
        return answers


class _Subject:
    """A file on its engine, and its measurements."""

    def __init__(self, file: str, engine: str, limit: Limit) -> None:
        self._limit = limit
        start = now()
        self._sealed, self._engine = sealed_model.read(file), engine
        self._classifier = self._load(threads=1)
        self.load = now() - start
        golden = self._sealed.golden
        self._images = golden.images
        start = now()
        self._classifier.classify(self._images[0])
        self.first = now() - start
        self._picture = mnist.to_picture(golden.images[golden.picture])
        plain = self._classifier._engine
        assert plain
        self._watch = _Stopwatch(plain.one)
        self._classifier._engine = plain._replace(one=self._watch)
        self.turns: list[NDArray[np.int64]] = []
        self.peak_rss: int | None = None
        self._by_threads: dict[int, Classifier] = {}
        self.rates: dict[tuple[int, int], list[float]] = {}

    def _load(self, threads: int) -> Classifier:
        return Classifier(self._sealed, engine=self._engine, threads=threads)

    def single(self, preprocessing: bool = True) -> None:
        """Time images one by one, each of the stages, in nanoseconds.

        Preprocessing evicts the caches, so that the engine's own time is taken of images without it, in turns alike.
        """
        plain = self._turn(False)
        if preprocessing:
            whole = self._turn(True)
            count = min(len(plain), len(whole))
            plain, whole = plain[:count], whole[:count]
            plain = np.column_stack([whole[:, 0], plain[:, 1:3], whole[:, 3]])
        self.turns.append(plain)
        self.peak_rss = host.peak_rss()

    def _turn(self, preprocessing: bool) -> NDArray[np.int64]:
        for number in range(_WARM_UP):
            self._time_one(number, preprocessing)
        turn: list[tuple[int, ...]] = []
        end = now() + _TURN_NANOSECONDS
        while len(turn) < _SINGLES or now() < end:
            turn.append(self._time_one(len(turn), preprocessing))
        return np.array(turn)

    def _time_one(self, number: int, preprocessing: bool) -> tuple[int, ...]:
        image = self._images[number % len(self._images)]
        self._limit.again()
        start = now()
        if preprocessing:
            mnist.to_mnist(self._picture)
        ready = now()
        self._classifier.classify(image)
        end = now()
        engine = self._watch.nanoseconds
        return ready - start, engine, end - ready - engine, end - start

    def batch(self) -> None:
        """Time images together, in images a second, for each number of threads and size of batch."""
        threads = 1
        while threads <= host.cores():
            if threads not in self._by_threads:
                self._by_threads[threads] = self._load(threads)
            for size in _BATCHES:
                self._limit.again()
                rate = _rate(self._by_threads[threads], np.resize(self._images, (size, *IMAGE_SHAPE)))
                self.rates.setdefault((threads, size), []).append(rate)
            threads *= 2

    def result(self) -> dict[str, Any]:
        """Return the measurements, in the units of `benchmark.Measurement`."""
        microseconds = np.concatenate(self.turns) / 1000
        medians = np.array([np.median(turn[:, -1]) for turn in self.turns]) / 1000
        return {
            "load_ms": self.load / 1e6,
            "first_us": self.first / 1e3,
            "images": len(microseconds),
            "latency_us": {
                stage: {
                    **{f"p{share}": float(np.percentile(times, share)) for share in (50, 95, 99)},
                    "max": float(times.max()),
                }
                for stage, times in zip(_STAGES, microseconds.T, strict=True)
            },
            "noise_us": float(np.abs(medians - np.median(medians)).max()),
            "clock_us": _clock() / 1000,
            "throughput": [
                {"threads": threads, "batch": size, "images_per_second": float(np.median(rates))}
                for (threads, size), rates in self.rates.items()
            ],
            "peak_rss_bytes": self.peak_rss,
        }


def _rate(classifier: Classifier, batch: NDArray[np.uint8]) -> float:
    classifier.logits(batch)
    count, start = 0, now()
    while (passed := now() - start) < _BATCH_NANOSECONDS or not count:
        classifier.logits(batch)
        count += len(batch)
    return count / passed * 1e9


def _clock() -> float:
    """Return the cost of reading the clock, in nanoseconds, which is part of every stage."""
    readings = np.array([now() for _ in range(1000)])
    return float(np.median(np.diff(readings)))


def main(arguments: Sequence[str]) -> int:
    """Take a turn for each line on stdin; at its end print the result as JSON."""
    file, engine = arguments
    late = f"it did not load, or answer, within {SECONDS:g} seconds: {ENDLESS}"
    try:
        with time_limit(SECONDS, late, EngineError.exit_code) as limit:
            subject = _Subject(file, engine, limit)
            print(flush=True)
            turns = {"single": subject.single, "engine": lambda: subject.single(False), "batch": subject.batch}
            limit.pause()
            for line in sys.stdin:
                limit.again()
                turns[line.strip()]()
                limit.pause()
                print(flush=True)
        print(json.dumps(subject.result()))
    except MnistEdgeError as error:
        print(str(error).removeprefix(f"{file}: "), file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
