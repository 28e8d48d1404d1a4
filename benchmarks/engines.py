"""Measure one network in every engine, and the cost of the runtime beside its own engine; write docs/benchmarks.md.

    python benchmarks/engines.py small-tflite-int8.tflite small-tflite-none.tflite small-onnx-int8.onnx ...

What is not installed here, OpenVINO and all, goes into an environment of its own in build/, once. Every contender runs
each file it reads in a process of its own, and all take turns. overhead.py and cold_start.py run afterwards; with
either's failure this ends with exit code 1, after the page is written. Sections that other scripts wrote stay.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import own_environment
from mnist_edge_runtime import EngineError
from mnist_edge_runtime.diagnostics.turn_process import InterleavedProcess
from mnist_edge_runtime.files import atomic_path
from mnist_edge_runtime.host import Host
from mnist_edge_runtime.model_file import sealed_model
from page_sections import write_top

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PAGE, PLOT = ROOT / "docs" / "benchmarks.md", ROOT / "docs" / "benchmarks.png"
ENVIRONMENT = ROOT / "build" / "benchmarks"
PACKAGES = ("ai-edge-litert", "onnxruntime", "openvino", "tflite-runtime", "numpy<2")
TFLITE = ("mnist-edge, LiteRT", "LiteRT", "tutorial loop, LiteRT", "mnist-edge, tflite-runtime", "OpenVINO")
CONTENDERS = {"tflite": TFLITE, "onnx": ("mnist-edge, onnxruntime", "onnxruntime", "OpenVINO")}
SINGLE_TURNS, BATCH_TURNS = 12, 4

HEADER = """\
# Benchmarks

Written by `python benchmarks/engines.py MODEL...` on {cpu}, {cores} cores, {system}, with
Python {python}, {versions}. The load average at the start
was {load:.1f}: what else runs shows in p95 and p99, and in the times of starts.

One network, {network} of {parameters:,} parameters, quantized and not. Every row is a process of its own on one
thread; all take turns. p50, p95 and p99 are of single images, from uint8 pixels to the class; images a second are of
{batch} images handed over together, at the contender's best size of batch. "mnist-edge" is `Classifier.logits`; the
rows without it call the engine with everything looked up beforehand and nothing checked; the tutorial's loop asks for
details and scales pixels every time. The last column is how many of the {golden} golden images get the class that the
file promises.

![The median time of one image, and images a second, of each contender](benchmarks.png)

| file | contender | p50 us | p95 us | p99 us | images a second | golden |
|---|---|---|---|---|---|---|
"""
OVERHEAD = """
## What the classifier adds to its engine

`python benchmarks/overhead.py`: medians, with percentiles 5 and 95 of {blocks} blocks in brackets. Allowed are
{logits_us} us for `logits`, {classify_us} us for `classify`, and {share:.0%} of the engine's best with batches.

| file | engine us | logits adds us | classify adds us | share of the engine's best batch |
|---|---|---|---|---|
"""
START = """
## From the start of the process to the first answer

`python benchmarks/cold_start.py`: medians of {starts} starts, against ten lines that run the same file on the same
engine. Allowed are {time} times their time and {memory} times their memory, and {allowed:g} ms for the import;
importing the package takes {imported} ms of the processor's time after numpy.

| file | ten lines | mnist-edge | time | memory |
|---|---|---|---|---|
"""


def compare(python: Path, files: Sequence[Path]) -> tuple[dict[tuple[Path, str], dict[str, Any]], list[str]]:
    """Return the figures of each file with each of its contenders, and a sentence for each that failed."""
    failures = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        children: dict[tuple[Path, str], InterleavedProcess] = {}
        for number, file in enumerate(files):
            sealed = sealed_model.read(file)
            np.save(folder / f"{number}.npy", sealed.golden.images)
            for name in CONTENDERS[sealed.contract.format]:
                command = [str(python), str(HERE / "contenders.py"), name, str(file), str(folder / f"{number}.npy")]
                children[file, name] = stack.enter_context(InterleavedProcess(command, engine=name))
        for word in ("", *["single"] * SINGLE_TURNS, *["batch"] * BATCH_TURNS):
            for run in list(children):
                try:
                    children[run].take_turn(word) if word else children[run].wait()
                except EngineError as error:
                    failures.append(f"{run[1]} fails on {run[0].name}: {error}")
                    del children[run]
        return {run: json.loads(child.result()) for run, child in children.items()}, failures


def script(name: str, files: Sequence[Path]) -> dict[str, Any]:
    """Return the figures of one of the other two scripts."""
    command = [sys.executable, str(HERE / name), "--json", *map(str, files)]
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def page(
    python: Path,
    found: Mapping[tuple[Path, str], Mapping[str, Any]],
    failures: Sequence[str],
    overhead: Mapping[str, Any],
    start: Mapping[str, Any],
    load: float,
) -> Iterator[str]:
    import cold_start
    import contenders
    import overhead as limits

    files = list(dict.fromkeys(file for file, _ in found))
    contract, here = sealed_model.read(files[0]).contract, Host.here()
    yield HEADER.format(
        cpu=here.cpu,
        cores=here.cores,
        system=f"{here.system} {here.release} {here.processor}",
        python=here.python,
        load=load,
        versions=own_environment.versions(python, PACKAGES),
        network=contract.origin["architecture"],
        parameters=contract.origin["parameters"],
        batch=contenders.BATCH,
        golden=len(sealed_model.read(files[0]).golden.images),
    )
    for (file, name), figures in found.items():
        golden = sealed_model.read(file).golden
        labels = np.array(sealed_model.read(file).contract.labels)
        right = int((labels[figures["classes"]] == golden.predicted).sum())
        times = " | ".join(f"{figures['us'][share]:.1f}" for share in ("p50", "p95", "p99"))
        rate = f"{figures['images_per_second']:,.0f}"
        yield f"| {file.name} | {name} | {times} | {rate} | {right} |\n"
    yield from (f"\n{failure}\n" for failure in failures)
    yield OVERHEAD.format(
        blocks=limits.BLOCKS, logits_us=limits.LOGITS_US, classify_us=limits.CLASSIFY_US, share=limits.BATCH_SHARE
    )
    for row in overhead["results"]:
        keys = ("engine_us", "logits_adds_us", "classify_adds_us", "batch_share")
        cells = (f"{row[key]['p50']:.2f} ({row[key]['p5']:.2f} to {row[key]['p95']:.2f})" for key in keys)
        yield f"| {row['model']} | {' | '.join(cells)} of batch {row['best_batch']} |\n"
    yield START.format(
        starts=cold_start.STARTS,
        time=cold_start.TIME_RATIO,
        memory=cold_start.MEMORY_RATIO,
        allowed=cold_start.IMPORT_MS,
        imported=start["import_ms"],
    )
    for row in start["results"]:
        sides = " | ".join(f"{row[side]['ms']} ms, {row[side]['mb']:.0f} MB" for side in ("ten_lines", "classifier"))
        yield f"| {row['model']} | {sides} | x {row['time_ratio']:.2f} | x {row['memory_ratio']:.2f} |\n"


def plot(found: Mapping[tuple[Path, str], Mapping[str, Any]]) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    names = [f"{name}\n{file.suffix[1:]} {sealed_model.read(file).contract.quantization}" for file, name in found]
    colours = ["tab:blue" if name.startswith("mnist-edge") else "tab:grey" for _, name in found]
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 0.42 * len(names) + 1), sharey=True, layout="constrained")
    p50 = [figures["us"]["p50"] for figures in found.values()]
    p95 = [max(0.0, figures["us"]["p95"] - figures["us"]["p50"]) for figures in found.values()]
    left.barh(names, p50, xerr=[[0.0] * len(p50), p95], color=colours, ecolor="black", capsize=2)
    left.set_xlabel("microseconds for one image: median, whisker to p95")
    right.barh(names, [figures["images_per_second"] / 1000 for figures in found.values()], color=colours)
    right.set_xlabel("thousand images a second, in batches")
    left.invert_yaxis()
    left.margins(y=0.01)
    left.tick_params(axis="y", labelsize=7)
    with atomic_path(PLOT) as temporary:
        figure.savefig(temporary, dpi=70, metadata={"Software": None})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", type=Path, nargs="+", metavar="MODEL", help="Exported files of one network.")
    files = [file.resolve() for file in parser.parse_args().models]
    python = own_environment.make(ENVIRONMENT, PACKAGES)
    os.environ["PYTHONPATH"] = str(ROOT / "runtime")
    load = os.getloadavg()[0]
    found, failures = compare(python, files)
    overhead, start = script("overhead.py", files), script("cold_start.py", files)
    text = "".join(page(python, found, failures, overhead, start, load))
    plot(found)
    write_top(PAGE, text)
    print(f"{PAGE.relative_to(ROOT)} and {PLOT.relative_to(ROOT)}")
    return 1 if overhead["failures"] or start["failures"] else 0


if __name__ == "__main__":
    sys.exit(main())
