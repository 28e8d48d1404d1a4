"""Measure the time that the classifier adds to its engine: both take turns in one process; exit code 1 above a limit.

    python benchmarks/overhead.py small-tflite-int8.tflite small-onnx-int8.onnx

Single images: the engine's own set, invoke and get (or run) on a ready tensor, `Classifier.logits` and
`Classifier.classify` on the same image, one after the other. The difference is taken between medians of a block of
such rounds; shown are the percentiles of all blocks, judged is the median. Batches, in the same way: images a second
of `.logits`, as a share of the engine's at the size of batch where that is best.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from time import perf_counter_ns as now
from typing import Any

import bare_engines
import numpy as np
from bare_engines import Run
from mnist_edge_runtime import Classifier
from mnist_edge_runtime.engines.tensor_codec import Tensor, encoder
from mnist_edge_runtime.model_file import sealed_model

LOGITS_US = 2.5
CLASSIFY_US = 8.0
BATCH_SHARE = 0.95

BLOCKS, ROUNDS = 40, 200
BATCH_BLOCKS, BATCH_ROUNDS, BATCH_IMAGES = 15, 15, 256  # few images, so that most rounds are never interrupted
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256)

ENGINES = {"tflite": "litert", "onnx": "onnxruntime"}


def measure(file: Path) -> dict[str, Any]:
    """Return the figures of one file, each as its percentiles 5, 50 and 95."""
    sealed = sealed_model.read(file)
    images = np.resize(sealed.golden.images, (BATCH_IMAGES, 28, 28))
    tensors = encoder(sealed.contract.input)(images)
    load = partial(bare_engines.load, ENGINES[sealed.contract.format], sealed.payload)
    with Classifier(sealed) as classifier:
        rows = singles(load(), classifier, images, tensors)
        best, shares = batches({size: load(size) for size in BATCHES}, classifier, images, tensors)
    engine, logits, classify = rows.T
    return {
        "model": file.name,
        "engine": classifier.engine_name,
        "engine_us": percentiles(engine),
        "logits_adds_us": percentiles(logits - engine),
        "logits_ratio": percentiles(logits / engine),
        "classify_adds_us": percentiles(classify - engine),
        "classify_ratio": percentiles(classify / engine),
        "best_batch": best,
        "batch_share": percentiles(shares),
    }


def singles(run: Run, classifier: Classifier, images: Tensor, tensors: Tensor) -> Any:
    """Return the medians of each block in microseconds, (BLOCKS, 3): the engine, `logits` and `classify`."""
    found = np.empty((BLOCKS + 1, ROUNDS, 3))
    for block in found:
        for number, times in enumerate(block):
            image, tensor = images[number], tensors[number : number + 1]
            start = now()
            run(tensor)
            one = now()
            classifier.logits(image)
            two = now()
            classifier.classify(image)
            times[:] = one - start, two - one, now() - two
    return np.median(found[1:], axis=1) / 1000  # the first block is the warm-up


def batches(runs: Mapping[int, Run], classifier: Classifier, images: Tensor, tensors: Tensor) -> tuple[int, Any]:
    """Return the engine's best batch size, and of each block the classifier's share of its images a second."""

    def raw(size: int) -> int:
        run, start = runs[size], now()
        for first in range(0, len(tensors), size):
            run(tensors[first : first + size])
        return now() - start

    def ours() -> int:
        start = now()
        classifier.logits(images)
        return now() - start

    trials = [{size: raw(size) for size in runs} for _ in range(BATCH_ROUNDS)]
    best = min(runs, key=lambda size: float(np.median([trial[size] for trial in trials])))
    found = np.array([[(raw(best), ours()) for _ in range(BATCH_ROUNDS)] for _ in range(BATCH_BLOCKS + 1)])
    engine, logits = np.median(found[1:], axis=1).T  # the first block is the warm-up
    return best, engine / logits


def percentiles(values: Any) -> dict[str, float]:
    return {f"p{share}": round(float(np.percentile(values, share)), 3) for share in (5, 50, 95)}


def failures(found: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each limit that is not kept."""
    return [
        f"{found['model']}: {name} is {found[key]['p50']}, {word} {limit} is allowed"
        for name, key, word, limit, kept in (
            ("what logits adds", "logits_adds_us", "at most", LOGITS_US, found["logits_adds_us"]["p50"] <= LOGITS_US),
            ("what classify adds", "classify_adds_us", "at most", CLASSIFY_US,
             found["classify_adds_us"]["p50"] <= CLASSIFY_US),
            ("the share of a batch", "batch_share", "at least", BATCH_SHARE,
             found["batch_share"]["p50"] >= BATCH_SHARE),
        )
        if not kept
    ]  # fmt: skip


def show(found: Mapping[str, Any]) -> None:
    def text(key: str, unit: str = "") -> str:
        low, middle, high = found[key].values()
        return f"{middle:7.2f}{unit} ({low:.2f} to {high:.2f})"

    print(f"{found['model']} on {found['engine']}, one image takes {text('engine_us', ' us')}")
    print(f"  logits adds    {text('logits_adds_us', ' us')}, times {text('logits_ratio')}")
    print(f"  classify adds  {text('classify_adds_us', ' us')}, times {text('classify_ratio')}")
    print(f"  a batch        {text('batch_share')} of the engine's best, at {found['best_batch']} images")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", type=Path, nargs="+", metavar="MODEL", help="Exported files.")
    parser.add_argument("--json", action="store_true", help="Print one JSON document instead.")
    options = parser.parse_args()
    results = [measure(file) for file in options.models]
    missed = [sentence for found in results for sentence in failures(found)]
    if options.json:
        print(json.dumps({"results": results, "failures": missed}))
    else:
        for found in results:
            show(found)
    for sentence in missed:
        print(f"failed: {sentence}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
