"""Measure one way to run a file, in a process of its own: `contenders.py NAME FILE IMAGES`, a child of engines.py.

Each takes a uint8 image (28, 28) to the index of its class, and, where its tool has batches, images (N, 28, 28) to N of
them. All run on one thread, with everything looked up beforehand that can be, but for the tutorial's.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter_ns as now
from typing import Any

import bare_engines
import numpy as np
from mnist_edge_runtime import Classifier
from mnist_edge_runtime.engines.tensor_codec import encoder
from mnist_edge_runtime.model_file.sealed_model import read
from numpy.typing import NDArray

Images = NDArray[np.uint8]

BATCH = 64  # images handed over together; so few that most runs are never interrupted
PARTS = (8, 32, 64)  # batch sizes, where the caller chooses them; the best counts
WARM_UP, SINGLES, SINGLE_NANOSECONDS, BATCHES = 20, 100, 100_000_000, 20


@dataclass(frozen=True)
class Contender:
    """What is timed: one image, and each way of running many."""

    one: Callable[[Images], int]
    many: tuple[Callable[[Images], Any], ...] = ()


def classifier(engine: str) -> Callable[[str], Contender]:
    def load(file: str) -> Contender:
        logits = Classifier.load(file, engine=engine).logits
        return Contender(lambda image: logits(image).argmax(), (lambda images: logits(images).argmax(axis=1),))

    return load


def tutorial(file: str) -> Contender:
    """The loop that tutorials show, which asks for everything each time."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=file)
    interpreter.allocate_tensors()

    def one(image: Images) -> int:
        input_details = interpreter.get_input_details()
        output_details = interpreter.get_output_details()
        data = np.expand_dims(image.astype(np.float32) / 255.0, axis=(0, -1))
        scale, zero_point = input_details[0]["quantization"]
        if input_details[0]["dtype"] == np.uint8:
            data = np.clip(np.round(data / scale + zero_point), 0, 255).astype(np.uint8)
        interpreter.set_tensor(input_details[0]["index"], data)
        interpreter.invoke()
        return int(np.argmax(interpreter.get_tensor(output_details[0]["index"])))

    return Contender(one, (lambda images: [one(image) for image in images],))


def litert(file: str) -> Contender:
    sealed = read(file)
    return _of_tensors(encoder(sealed.contract.input), partial(bare_engines.load, "litert", sealed.payload))


def onnxruntime(file: str) -> Contender:
    sealed = read(file)
    return _of_tensors(encoder(sealed.contract.input), partial(bare_engines.load, "onnxruntime", sealed.payload))


def openvino(file: str) -> Contender:
    import openvino as ov

    core = ov.Core()
    # Where the processor can, it would otherwise round float files to bfloat16.
    options = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": "f32"}

    def run(batch: int) -> Callable[[Any], Any]:
        model = core.read_model(file)
        if model.input().partial_shape.is_static:  # ONNX leaves the batch free; fixed, OpenVINO 2026.4 fails on int8
            model.reshape([batch, 28, 28, 1])
        request = core.compile_model(model, "CPU", options).create_infer_request()
        return lambda tensor: request.infer([tensor])[0]

    return _of_tensors(encoder(read(file).contract.input), run)


def _of_tensors(encode: Callable[[Images], Any], run: Callable[[int], Callable[[Any], Any]]) -> Contender:
    single = run(1)

    def in_parts(size: int) -> Callable[[Images], Any]:
        once = run(size)
        return lambda images: np.concatenate(
            [once(encode(images[start : start + size])).argmax(axis=1) for start in range(0, len(images), size)]
        )

    return Contender(lambda image: single(encode(image[np.newaxis]))[0].argmax(), tuple(map(in_parts, PARTS)))


CONTENDERS: Mapping[str, Callable[[str], Contender]] = {
    "mnist-edge, LiteRT": classifier("litert"),
    "LiteRT": litert,
    "tutorial loop, LiteRT": tutorial,
    "mnist-edge, tflite-runtime": classifier("tflite-runtime"),
    "mnist-edge, onnxruntime": classifier("onnxruntime"),
    "onnxruntime": onnxruntime,
    "OpenVINO": openvino,
}


def main(name: str, file: str, images: str) -> None:
    singles: Images = np.load(images)
    contender, batch = CONTENDERS[name](file), np.resize(singles, (BATCH, 28, 28))
    nanoseconds: list[int] = []
    times: list[list[int]] = [[] for _ in contender.many]
    print(flush=True)
    for word in sys.stdin:
        if word.strip() == "single":
            nanoseconds += _single(contender, singles)
        else:
            for many, found in zip(contender.many, times, strict=True):
                found += _times(many, batch)
        print(flush=True)
    microseconds = np.array(nanoseconds) / 1000
    result = {
        "us": {f"p{share}": float(np.percentile(microseconds, share)) for share in (50, 95, 99)},
        "images": len(microseconds),
        "images_per_second": BATCH * 1e9 / min(float(np.median(found)) for found in times),
        "classes": [int(contender.one(image)) for image in singles],
    }
    print(json.dumps(result))


def _single(contender: Contender, singles: Images) -> list[int]:
    for number in range(WARM_UP):
        contender.one(singles[number % len(singles)])
    found: list[int] = []
    end = now() + SINGLE_NANOSECONDS
    while (start := now()) < end or len(found) < SINGLES:
        contender.one(singles[len(found) % len(singles)])
        found.append(now() - start)
    return found


def _times(many: Callable[[Images], Any], batch: Images) -> list[int]:
    many(batch)
    found = []
    for _ in range(BATCHES):
        start = now()
        many(batch)
        found.append(now() - start)
    return found


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], str(Path(sys.argv[3])))
