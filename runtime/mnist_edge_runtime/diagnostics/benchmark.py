"""Measure the speed of model files on the engines of this machine, in interleaved processes."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .. import host
from ..engines.availability import not_installed
from ..engines.registry import ENGINES, names_for
from ..errors import EngineError, UsageError
from ..host import Host, Throttling
from ..model_file import sealed_model
from ..models import bundled_models
from .turn_process import InterleavedProcess

__all__ = ["Benchmark", "Measurement", "benchmark", "bundled_for", "pairs"]

SINGLE_TURNS = 10  # for each file
BATCH_TURNS = 3  # for each file


@dataclass(frozen=True)
class Measurement:
    """One file on one engine.

    Attributes:
        model: the file.
        engine: the engine's name.
        quantization, network: what the contract says of the file; the network is its architecture and parameters.
        bytes: the size of the file.
        load_ms: reading and checking the file, importing the engine and making it ready.
        first_us: the first image after that.
        images: how many were timed one by one.
        latency_us: p50, p95, p99 and max of a single image on one thread: "preprocessing" (a grey picture to
            28 x 28), "engine" (the library's own work), "rest" (checks, probabilities, the prediction), "together".
            Engine and rest are those of one image after the other, without preprocessing between them.
        noise_us: how far the median of a turn was from that of all turns; smaller differences mean nothing.
        clock_us: how long reading the clock takes, which is in every stage.
        throughput: images a second of `Classifier.logits`, by threads and size of batch.
        peak_rss_bytes: memory of the process that read the single images; None where the system does not say.
    """

    model: str
    engine: str
    quantization: str
    network: str
    bytes: int
    load_ms: float
    first_us: float
    images: int
    latency_us: Mapping[str, Mapping[str, float]]
    noise_us: float
    clock_us: float
    throughput: Sequence[Mapping[str, float]]
    peak_rss_bytes: int | None


@dataclass(frozen=True)
class Benchmark:
    """The result of one run, and whether it is valid.

    Attributes:
        host: where.
        measurements: of each file on each engine that ran it.
        errors: (file, engine, reason) of each that did not.
        temperatures: in degrees Celsius before and after; None without a sensor.
        throttled: what slowed the machine down while it measured; the figures are invalid unless this is empty.
        throttling_known: False where no firmware reports it; only that of a Raspberry Pi does.
    """

    host: Host
    measurements: tuple[Measurement, ...]
    errors: tuple[tuple[str, str, str], ...]
    temperatures: tuple[float | None, float | None]
    throttled: tuple[str, ...]
    throttling_known: bool

    @property
    def notes(self) -> tuple[str, ...]:
        """A sentence for each int8 file that is slower here than a float file of its network on the same engine."""
        return tuple(
            f"{quantized.model} (int8) is slower than {plain.model} (float32) on {plain.engine} here: "
            f"{_engine_p50(quantized):.1f} against {_engine_p50(plain):.1f} us"
            for quantized in self.measurements
            for plain in self.measurements
            if (quantized.quantization, plain.quantization) == ("int8", "none")
            and (quantized.network, quantized.engine) == (plain.network, plain.engine)
            and _engine_p50(quantized) - _engine_p50(plain) > max(quantized.noise_us, plain.noise_us)
        )

    def to_dict(self) -> dict[str, Any]:
        """Return what `benchmark --json` prints."""
        return {
            "host": asdict(self.host),
            "valid": not self.throttled,
            "throttling_known": self.throttling_known,
            "throttled": list(self.throttled),
            "temperature_celsius": dict(zip(("before", "after"), self.temperatures, strict=True)),
            "results": [asdict(measurement) for measurement in self.measurements],
            "errors": [dict(zip(("model", "engine", "error"), error, strict=True)) for error in self.errors],
            "notes": list(self.notes),
        }


@dataclass
class _ThrottlingMonitor:
    """The firmware's reports on throttling during a run."""

    readings: list[Throttling] = field(default_factory=list)

    def look(self) -> None:
        if reading := host.throttling():
            self.readings.append(reading)

    @property
    def throttled(self) -> tuple[str, ...]:
        """The causes of throttling at one of the reports, or between two of them."""
        if not self.readings:
            return ()
        seen = {name for reading in self.readings for name in reading.now}
        fresh = set(self.readings[-1].since_start) - set(self.readings[0].since_start)
        return tuple(sorted(seen | fresh))


def pairs(models: Sequence[str | Path], engines: Sequence[str] = ()) -> list[tuple[Path, str]]:
    """Return each file with each engine to run it on: those named, or all that are installed and that it is for.

    Raises:
        InputError, ModelError: a file cannot be read or is damaged.
        UsageError: no engine runs one of the files, or no file is for one of the engines.
        EngineError: no engine that a file is for is installed.
    """
    found: list[tuple[Path, str]] = []
    for model in dict.fromkeys(map(Path, models)):
        contract = sealed_model.read(model).contract
        possible = names_for(contract.format)
        if engines:
            chosen = [name for name in possible if name in engines]
            if not chosen:
                raise UsageError(f"{model}: {', '.join(engines)} does not run it; choose from {', '.join(possible)}")
        else:
            proven = [runtime.get("engine") for runtime in contract.runtimes] or possible
            chosen = [name for name in possible if name in proven and _is_installed(name)]
            if not chosen:
                raise EngineError(f"{model}: no engine for it is installed: {'; '.join(map(not_installed, possible))}")
        found += [(model, name) for name in chosen]
    if unused := set(engines) - {name for _, name in found}:
        raise UsageError(f"none of the files is for {', '.join(sorted(unused))}")
    return found


def bundled_for(engines: Sequence[str] = (), network: str | None = None) -> list[Path]:
    """Return the files of a network of this package that an engine here runs, or one of those named."""
    suited = [
        file
        for file in bundled_models(network=network)
        if not engines or set(engines) & set(names_for(file.suffix[1:]))
    ]
    return [file for file in suited if any(map(_is_installed, names_for(file.suffix[1:])))] or suited


def benchmark(
    runs: Sequence[tuple[Path, str]],
    progress: Callable[[str], None] = lambda message: None,
    *,
    engine_only: bool = False,
) -> Benchmark:
    """Measure files on engines, each in a process of its own, in turns.

    Args:
        runs: pairs of a sealed file and the engine to run it on.
        progress: receives the name of each step.
        engine_only: measure single images without preprocessing, and no batches.
    """
    monitor, before = _ThrottlingMonitor(), host.temperature()
    errors: list[tuple[str, str, str]] = []
    children: dict[tuple[Path, str], InterleavedProcess] = {}

    def each(take: Callable[[InterleavedProcess], Any]) -> dict[tuple[Path, str], Any]:
        """Return what every process gives; one that fails is noted and takes part no more."""
        given = {}
        for run in list(children):
            try:
                given[run] = take(children[run])
            except EngineError as error:
                errors.append((str(run[0]), run[1], str(error)))
                del children[run]
        return given

    with ExitStack() as stack:
        for file, engine in runs:
            command = [sys.executable, "-m", f"{__package__}.benchmark_worker", str(file), engine]
            children[file, engine] = stack.enter_context(InterleavedProcess(command, engine=engine))
        for name, step in _steps(engine_only):
            progress(name)
            monitor.look()
            each(step)
        monitor.look()
        results = each(lambda child: json.loads(child.result()))
    return Benchmark(
        host=Host.here(),
        measurements=tuple(_measurement(file, engine, result) for (file, engine), result in results.items()),
        errors=tuple(errors),
        temperatures=(before, host.temperature()),
        throttled=monitor.throttled,
        throttling_known=bool(monitor.readings),
    )


def _steps(engine_only: bool) -> Iterator[tuple[str, Callable[[InterleavedProcess], None]]]:
    """Yield the name of each step, and the function that runs it in one process after the other."""
    word = "engine" if engine_only else "single"
    yield "loading", InterleavedProcess.wait
    for turn in range(SINGLE_TURNS):
        yield f"single images, turn {turn + 1} of {SINGLE_TURNS}", lambda child: child.take_turn(word)
    for turn in range(0 if engine_only else BATCH_TURNS):
        yield f"batches, turn {turn + 1} of {BATCH_TURNS}", lambda child: child.take_turn("batch")


def _measurement(file: Path, engine: str, result: Mapping[str, Any]) -> Measurement:
    contract = sealed_model.read(file).contract
    network = (
        f"{contract.origin.get('architecture', 'unknown')}, {contract.origin.get('parameters', 'unknown')} parameters"
    )
    return Measurement(
        model=str(file),
        engine=engine,
        quantization=contract.quantization,
        network=network,
        bytes=file.stat().st_size,
        **result,
    )


def _engine_p50(measurement: Measurement) -> float:
    return measurement.latency_us["engine"]["p50"]


def _is_installed(engine: str) -> bool:
    return find_spec(ENGINES[engine].library.partition(".")[0]) is not None
