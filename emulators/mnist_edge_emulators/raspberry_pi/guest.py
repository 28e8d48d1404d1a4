"""Run on the board, as `python3 guest.py TASK FOLDER`: do the job in the folder and write the results there.

For the tasks `answers` and `count` the folder has the model files, `images.npy`, uint8 (N, 28, 28), and `job.json`: the
engine, the number of images for each file, and how many of them are warm-up where instructions are counted. For
`prepare` it has `images.npy`, uint8 (N, H, W), and how many of them are warm-up; for `read` `images.npy`, the bytes of
equal JPEGs, (N, bytes), the model file and the engine. Only the standard library, numpy, the
runtime and `bare_engines.py` beside this file are there.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Callable
from importlib import import_module
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
from mnist_edge_runtime import Classifier, MnistEdgeError
from mnist_edge_runtime.diagnostics.selftest import selftest
from mnist_edge_runtime.engines.tensor_codec import Tensor, encoder
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.preprocessing import mnist


def answers(folder: Path, job: dict[str, Any]) -> None:
    """Write `answers.npz`, the logits of each file, and `answers.json`, the failures of its self-test or its error."""
    images = np.load(folder / "images.npy")
    logits: dict[str, Any] = {}
    failures: dict[str, list[str]] = {}
    for name, count in job["files"].items():
        try:
            with Classifier.load(folder / name, engine=job["engine"]) as classifier:
                # One by one, as pictures come; on 32 bits a batch takes other kernels, which round one step apart.
                logits[name] = np.stack([classifier.logits(image) for image in images[:count]])
                failures[name] = list(selftest(classifier, sealed_model.read(folder / name).golden).failures)
        except MnistEdgeError as error:
            failures[name] = [str(error)]
    np.savez(folder / "answers.npz", **logits)
    (folder / "answers.json").write_text(json.dumps(failures), encoding="utf-8")


def count(folder: Path, job: dict[str, Any]) -> None:
    """Mark the begin and the end of inferences, twice for each file: the engine alone, then `Classifier.classify`.

    The plugin writes down the number of instructions between each mark and the one before.
    """
    load = import_module("bare_engines").load
    gc.disable()
    images = np.load(folder / "images.npy")
    for name in job["files"]:
        sealed = sealed_model.read(folder / name)
        run = load(job["engine"], sealed.payload)
        tensors = encoder(sealed.contract.input)(images)
        marked(run, [tensors[number : number + 1] for number in range(len(images))], job["warm_up"])
        with Classifier.load(folder / name, engine=job["engine"]) as classifier:
            # A refused answer takes longer, and which are refused depends on the weights.
            accepted = [image for image in sealed.golden.images if classifier.classify(image).accepted]
            marked(classifier.classify, list(islice(cycle(accepted), len(images))), job["warm_up"])


def prepare(folder: Path, job: dict[str, Any]) -> None:
    """Mark the begin and the end of bringing a picture to MNIST's form."""
    gc.disable()
    marked(mnist.to_mnist, list(np.load(folder / "images.npy")), job["warm_up"])


def read(folder: Path, job: dict[str, Any]) -> None:
    """Mark the begin and the end of reading the number in a camera's frame, from its JPEG."""
    frame = import_module("mnist_edge_runtime.service.frame").Frame
    read_number = import_module("mnist_edge_runtime.service.number_reading").read_number
    gc.disable()
    with Classifier.load(folder / job["file"], engine=job["engine"]) as classifier:
        jpegs = list(np.load(folder / "images.npy"))
        marked(lambda jpeg: read_number(frame(1, jpeg.tobytes()).view(), classifier), jpegs, job["warm_up"])


def marked(run: Callable[[Tensor], Any], inputs: list[Tensor], warm_up: int) -> None:
    """Run all inputs, with a mark (a call of getppid) after the first `warm_up` and one at the end."""
    for each in inputs[:warm_up]:
        run(each)
    rest = inputs[warm_up:]
    os.getppid()
    for each in rest:
        run(each)
    os.getppid()


if __name__ == "__main__":
    work = Path(sys.argv[2])
    task = {"answers": answers, "count": count, "prepare": prepare, "read": read}[sys.argv[1]]
    task(work, json.loads((work / "job.json").read_text(encoding="utf-8")))
