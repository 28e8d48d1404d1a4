"""Compare the integer network with LiteRT and TFLM, logit by logit; write a section of docs/integer.md.

    python benchmarks/integer.py [MODEL.tflite ...]

Each file answers the test images and as many images of noise; random networks with every operator answer noise alone.
Fails where a single logit differs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import random_networks
from ai_edge_litert.interpreter import Interpreter
from mnist_edge_exporters.integer import rounding, tflite_reader
from mnist_edge_exporters.integer.evaluate import evaluate
from mnist_edge_exporters.integer.rounding import Rounding
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.output_capture import suppress_output
from mnist_edge_trainer.data import datasets
from numpy.typing import NDArray
from page_sections import write_section

PAGE = Path(__file__).parent.parent / "docs" / "integer.md"
TEXT = """\
By `python benchmarks/integer.py MODEL...`, on x86 with {litert} and {tflm}: logits of the integer network
that differ from those of the engine, of all that were compared. Each file answers {images:,} test images and as many
of noise; the random networks together have every operator, strides, paddings, widths that are no multiple of 8 and
zero points of all kinds.

| network | LiteRT, by float32 | LiteRT, by integers alone | TFLM, double rounding | compared, each |
|---|---|---|---|---|
"""
NOISE_FOR_RANDOM = 100  # images
MEANS = 8  # inputs of each network that is a mean alone
ARENA = 1 << 22  # bytes, which TFLM guesses too small for some networks

Raw = NDArray[np.generic]


def noise(count: int) -> NDArray[np.uint8]:
    """Return uint8 images (N, 28, 28): a half of even noise, the other of sparse white dots."""
    random = np.random.default_rng(0)
    even = random.integers(0, 256, (count - count // 2, 28, 28), dtype=np.uint8)
    return np.concatenate([even, (random.random((count // 2, 28, 28)) < 0.2).astype(np.uint8) * np.uint8(255)])


def levels(payload: bytes) -> NDArray[np.int8]:
    """Return int8 inputs for a mean, (N, rows, columns, channels): each channel is noise around a level of its own."""
    network, random = tflite_reader.read(payload), np.random.default_rng(0)
    _, rows, columns, channels = network.tensors[network.input].shape
    values = random.normal(random.uniform(-128, 128, (MEANS, 1, 1, channels)), 20, (MEANS, rows, columns, channels))
    return np.clip(np.rint(values), -128, 127).astype(np.int8)


def litert(payload: bytes, tensors: Raw) -> Raw:
    """Return LiteRT's raw logits."""
    with suppress_output():
        interpreter = Interpreter(model_content=payload)
        interpreter.allocate_tensors()
    source, target = (
        details[0]["index"] for details in (interpreter.get_input_details(), interpreter.get_output_details())
    )
    answers = []
    for tensor in tensors:
        interpreter.set_tensor(source, tensor[np.newaxis])
        interpreter.invoke()
        answers.append(interpreter.get_tensor(target)[0].copy())
    return np.array(answers)


def tflm(payload: bytes, tensors: Raw) -> Raw:
    """Return the raw logits of TensorFlow Lite Micro."""
    from tflite_micro import runtime

    interpreter = runtime.Interpreter.from_bytes(payload, arena_size=ARENA)
    answers = []
    for tensor in tensors:
        interpreter.set_input(tensor[np.newaxis], 0)
        interpreter.invoke()
        answers.append(interpreter.get_output(0)[0].copy())
    return np.array(answers)


def differences(payload: bytes, tensors: Raw) -> list[int | None]:
    """Return how many logits differ by float32, by integers and by TFLM's rounding; None where that was not run."""
    network = tflite_reader.read(payload)

    def differing(expected: Raw, how: Rounding) -> int:
        return int(np.count_nonzero(evaluate(network, tensors, how) != expected))

    expected = litert(payload, tensors)
    found: list[int | None] = [differing(expected, how) for how in (rounding.FLOAT32, rounding.INTEGERS)]
    return [*found, differing(tflm(payload, tensors), rounding.TFLM) if find_spec("tflite_micro") else None]


def rows(models: list[Path], images: NDArray[np.uint8], networks: int) -> Iterator[tuple[str, list[int | None], int]]:
    """Yield for each row its name, the logits that differ, and how many were compared."""
    every = np.concatenate([images, noise(len(images))])[..., np.newaxis]
    for model in models:
        sealed = sealed_model.read(model)
        yield f"`{model.stem}`", differences(sealed.payload, every), len(every) * len(sealed.contract.labels)
    dots = noise(NOISE_FOR_RANDOM)[..., np.newaxis]
    found = [differences(random_networks.build(seed), dots) for seed in range(networks)]
    yield f"{networks:,} random networks", _sums(found), networks * NOISE_FOR_RANDOM * 10
    means = [random_networks.build_mean(seed) for seed in range(networks)]
    found = [differences(payload, levels(payload)) for payload in means]
    yield f"{networks:,} means alone, near halves", _sums(found), networks * MEANS * 256


def _sums(found: Sequence[Sequence[int | None]]) -> list[int | None]:
    return [None if None in column else sum(column) for column in zip(*found, strict=True)]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("models", nargs="*", type=Path, metavar="MODEL", help="int8 TFLite file")
    parser.add_argument("--data", default="auto", help="data set whose test images are answered")
    parser.add_argument("--images", type=int, default=10_000, help="number of test images, and of noise")
    parser.add_argument("--networks", type=int, default=1_000, help="number of random networks")
    parser.add_argument("--page", type=Path, default=PAGE, help="page to write")
    arguments = parser.parse_args()
    images = datasets.load(arguments.data).test_images[: arguments.images]
    micro = f"tflite-micro {version('tflite-micro')}" if find_spec("tflite_micro") else "no tflite-micro"
    text = TEXT.format(litert=f"LiteRT {version('ai-edge-litert')}", tflm=micro, images=len(images))
    differ = 0
    for name, found, compared in rows(arguments.models, images, arguments.networks):
        cells = ["not run" if count is None else f"{count:,}" for count in found]
        text += (line := f"| {' | '.join([name, *cells, f'{compared:,}'])} |") + "\n"
        print(line, flush=True)
        differ += sum(count or 0 for count in found)
    write_section(arguments.page, "Measured", text)
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
