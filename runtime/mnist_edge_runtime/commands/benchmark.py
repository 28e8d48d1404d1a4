"""`mnist-edge-runtime benchmark`: measure the speed of model files, and print a table."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ..command_line import print_error, tell
from ..engines.registry import ENGINES
from ..errors import EngineError
from ..json_output import print_json
from ..text_output import printable
from .common import say_default

if TYPE_CHECKING:
    from ..diagnostics.benchmark import Benchmark, Measurement

__all__ = ["add_command"]

_LOG_INTERVAL = 5.0  # seconds between two lines of progress where no terminal shows them


def add_command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], model: str, *parents: argparse.ArgumentParser
) -> None:
    """Add the command to the parser; `model` is the help of the model."""
    parser = commands.add_parser("benchmark", parents=parents, help="Measure the speed of model files on this machine.")
    parser.add_argument("model", nargs="*", metavar="MODEL", help=model.replace("file.", "file; repeatable."))
    parser.add_argument(
        "--engine",
        action="append",
        choices=list(ENGINES),
        help="Engine to measure on; repeatable. (default: all that are installed)",
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> EngineError | None:
    from ..diagnostics.benchmark import benchmark, bundled_for, pairs

    engines = arguments.engine or ()
    models = arguments.model if isinstance(arguments.model, list) else [arguments.model]
    if not models:
        models = bundled_for(engines, arguments.network)
        if arguments.network is None:
            say_default(*models)
    show = _Progress()
    found = benchmark(pairs(models, engines), show)
    show("")
    if arguments.json:
        print_json(found.to_dict())
    else:
        print("\n".join(map(printable, _lines(found))))
    for model, engine, reason in found.errors:
        print_error(f"{model} on {engine}: {reason}")
    return EngineError("not every file could be measured") if found.errors else None


class _Progress:
    """Show the step on stderr: on a terminal a line that is rewritten, elsewhere one every few seconds."""

    def __init__(self) -> None:
        self._printed = time.monotonic()

    def __call__(self, message: str) -> None:
        if sys.stderr.isatty():
            print(f"\r\x1b[K{printable(message)}", end="", file=sys.stderr, flush=True)
        elif message and time.monotonic() - self._printed >= _LOG_INTERVAL:
            self._printed = time.monotonic()
            tell(f"measuring: {message}")


def _lines(found: Benchmark) -> Iterator[str]:
    host, (before, after) = found.host, found.temperatures
    if host.model:
        yield f"machine      {host.model}"
    yield f"processor    {host.cpu}, {host.cores} cores"
    yield f"system       {host.system} {host.release} {host.processor}, Python {host.python}"
    if host.governor:
        yield f"governor     {host.governor}"
    if before is not None and after is not None:
        yield f"temperature  {before:.1f} to {after:.1f} degrees Celsius"
    if found.throttling_known:
        yield f"throttling   {', '.join(found.throttled) or 'none'}"
    for measurement in found.measurements:
        yield ""
        yield from _block(measurement)
    if len(found.measurements) > 1:
        yield ""
        yield from _comparison(found.measurements)
    if found.notes:
        yield ""
        yield from found.notes
    if found.throttled:
        yield ""
        causes = ", ".join(found.throttled)
        yield f"INVALID: the machine was throttled while it measured ({causes}); check its power supply and cooling"


def _block(found: Measurement) -> Iterator[str]:
    memory = "" if found.peak_rss_bytes is None else f", peak RSS {found.peak_rss_bytes / 1e6:.1f} MB"
    yield f"{found.model} on {found.engine}: {found.bytes / 1000:.1f} KB{memory}"
    yield f"loaded in {found.load_ms:.1f} ms, the first image then takes {found.first_us:.0f} us"
    yield f"  {'us for one image':<18}" + "".join(f"{column:>9}" for column in found.latency_us["engine"])
    for stage, figures in found.latency_us.items():
        yield f"  {stage:<18}" + "".join(f"{figure:>9.1f}" for figure in figures.values())
    yield f"  {found.images:,} images; noise floor: medians of turns within {found.noise_us:.1f} us"
    batches = dict.fromkeys(row["batch"] for row in found.throughput)
    yield f"  {'images a second':<18}" + "".join(f"{f'batch {size}':>10}" for size in batches)
    for threads in dict.fromkeys(row["threads"] for row in found.throughput):
        rates = [row["images_per_second"] for row in found.throughput if row["threads"] == threads]
        label = f"{threads} thread{'s' if threads > 1 else ''}"
        yield f"  {label:<18}" + "".join(f"{rate:>10,.0f}" for rate in rates)


def _comparison(measurements: Sequence[Measurement]) -> Iterator[str]:
    """Yield a line with the median engine time of each, the fastest first."""
    ordered = sorted(measurements, key=lambda found: found.latency_us["engine"]["p50"])
    width = max(len(f"{found.model} on {found.engine}") for found in ordered)
    fastest = ordered[0].latency_us["engine"]["p50"]
    for found in ordered:
        p50 = found.latency_us["engine"]["p50"]
        yield f"{f'{found.model} on {found.engine}':<{width}}  {p50:9.1f} us  {p50 / fastest:6.2f} x"
