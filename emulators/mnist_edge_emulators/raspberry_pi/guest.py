"""What runs on the board: `python3 guest.py answers|count FOLDER`; the folder has the job, and gets the results.

It holds the files, `images.npy`, uint8 (N, 28, 28), and `job.json`: the engine, how many images each file is for, and
how many of them are warm-up where instructions are counted. Standard library, numpy and the runtime are all there is.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from mnist_edge_runtime import Classifier, MnistEdgeError
from mnist_edge_runtime.diagnostics.selftest import selftest
from mnist_edge_runtime.engines import onnxruntime
from mnist_edge_runtime.engines.registry import ENGINES
from mnist_edge_runtime.engines.tensor_codec import Tensor, encoder
from mnist_edge_runtime.model_file import sealed_model


def answers(folder: Path, job: dict[str, Any]) -> None:
    """Write `answers.npz`, the logits of each file, and `answers.json`, why the self-test failed or nothing ran."""
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
    """Mark where inferences begin and end, twice for each file: the engine alone, then `Classifier.classify`.

    The plugin writes down how many instructions lie between a mark and the one before.
    """
    gc.disable()
    images = np.load(folder / "images.npy")
    for name in job["files"]:
        sealed = sealed_model.read(folder / name)
        run = bare(job["engine"], sealed.payload)
        tensors = encoder(sealed.contract.input)(images)
        marked(run, [tensors[number : number + 1] for number in range(len(images))], job["warm_up"])
        with Classifier.load(folder / name, engine=job["engine"]) as classifier:
            marked(classifier.classify, list(images), job["warm_up"])


def marked(run: Callable[[Tensor], Any], inputs: list[Tensor], warm_up: int) -> None:
    """Run all inputs, with a mark after the first `warm_up` and one at the end."""
    for each in inputs[:warm_up]:
        run(each)
    rest = inputs[warm_up:]
    os.getppid()
    for each in rest:
        run(each)
    os.getppid()


def bare(engine: str, payload: bytes) -> Callable[[Tensor], Tensor]:
    """Return the engine's own way from tensor to raw output, as its documentation has it."""
    if engine == "onnxruntime":
        session = onnxruntime.session(payload)
        source, targets = session.get_inputs()[0].name, [session.get_outputs()[0].name]
        return lambda tensor: session.run(targets, {source: tensor})[0]
    library = import_module(ENGINES[engine].library)
    interpreter = library.Interpreter(model_content=payload, num_threads=1)
    interpreter.allocate_tensors()
    place, result = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    set_tensor, invoke, get_tensor = interpreter.set_tensor, interpreter.invoke, interpreter.get_tensor

    def run(tensor: Tensor) -> Tensor:
        set_tensor(place, tensor)
        invoke()
        return get_tensor(result)

    return run


if __name__ == "__main__":
    work = Path(sys.argv[2])
    {"answers": answers, "count": count}[sys.argv[1]](work, json.loads((work / "job.json").read_text(encoding="utf-8")))
