"""Compare the answers of files on boards with those on this workstation: one row for each file, board and engine."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mnist_edge_exporters.parity.tolerance import TOLERANCES
from mnist_edge_exporters.spec import Quantization
from mnist_edge_runtime import Classifier, host
from mnist_edge_runtime.engines import litert
from mnist_edge_runtime.engines.registry import ENGINES
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.output_capture import suppress_output
from mnist_edge_runtime.prediction import softmax
from numpy.typing import NDArray

from . import jobs
from .device import Device

__all__ = ["IMAGES", "Row", "for_engine", "rows"]

IMAGES = 500  # images of each file, for docs/boards.md
_SLOW_IMAGES = 20  # images for int16x8, which runs on reference kernels
_FLOAT = 1e-5  # difference of a probability
# Largest difference of a probability. Integers give the same bits within a family of kernels; onnxruntime computes
# float16 in half precision where the processor can, so the tolerance is that of parity.
_LIMITS = {
    "tflite none": _FLOAT,
    "onnx none": _FLOAT,
    "tflite float16": _FLOAT,
    "onnx float16": TOLERANCES[Quantization.FLOAT16].probability_difference,
    "tflite int8": 0.0,
    "onnx int8": 0.0,
}


@dataclass(frozen=True)
class Row:
    """The comparison of one file on one engine of one board with the workstation.

    Attributes:
        file: name of the file.
        board: name of the board.
        engine: the runtime's name of the engine.
        images: number of images.
        identical: whether all logits are the same to the bit.
        difference: largest absolute difference of a probability.
        limit: largest difference allowed; 0: the logits must be identical, None: only the classes are compared.
        other_classes: number of images that get another class than on the workstation.
        failures: failures of the file's self-test on the board.
    """

    file: str
    board: str
    engine: str
    images: int
    identical: bool
    difference: float
    limit: float | None
    other_classes: int
    failures: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether the file answers on the board as it does on the workstation."""
        if self.limit == 0 and not self.identical:
            return False
        near = self.limit is None or self.difference <= self.limit
        return near and self.other_classes == 0 and not self.failures

    def to_dict(self) -> dict[str, Any]:
        """Return the row in the form of docs/boards.json."""
        return {**asdict(self), "passed": self.passed}


def for_engine(engine: str, files: Sequence[Path]) -> list[Path]:
    """Return the files that were proven on an engine when they were exported."""
    proven = {file: {runtime["engine"] for runtime in sealed_model.read(file).contract.runtimes} for file in files}
    return [file for file in files if engine in proven[file]]


def rows(devices: Sequence[Device], files: Sequence[Path], images: NDArray[np.uint8]) -> list[Row]:
    """Return a row for each file on each engine of each board; as many boards in parallel as there are cores.

    Args:
        devices: the boards.
        files: sealed model files, each under a name of its own.
        images: uint8 (N, 28, 28); int16x8 takes the first twenty.

    Raises:
        EmulatorError: a file did not run on a board.
    """
    sizes = {file: _SLOW_IMAGES if _kind(file) == "tflite int16x8" else len(images) for file in files}

    def answers(device: Device, engine: str) -> dict[Path, tuple[NDArray[np.float32], list[str]]]:
        return jobs.answers(device, engine, {file: sizes[file] for file in for_engine(engine, files)}, images)

    runs = [(device, engine) for device in devices for engine in device.board.engines]
    with ThreadPoolExecutor(host.cores()) as pool:
        found = list(pool.map(lambda run: answers(*run), runs))
    return [
        _row(file, device.board.name, engine, logits, _on_workstation(file, engine, images[: len(logits)]), failures)
        for (device, engine), per_file in zip(runs, found, strict=True)
        for file, (logits, failures) in per_file.items()
    ]


def _row(
    file: Path,
    board: str,
    engine: str,
    logits: NDArray[np.float32],
    expected: NDArray[np.float32],
    failures: Sequence[str],
) -> Row:
    return Row(
        file=file.name,
        board=board,
        engine=engine,
        images=len(logits),
        identical=bool(np.array_equal(logits, expected)),
        difference=float(np.abs(softmax(logits) - softmax(expected)).max()),
        limit=_LIMITS.get(_kind(file)),
        other_classes=int((logits.argmax(axis=1) != expected.argmax(axis=1)).sum()),
        failures=tuple(failures),
    )


def _kind(file: Path) -> str:
    contract = sealed_model.read(file).contract
    return f"{contract.format} {contract.quantization}"


def _on_workstation(file: Path, engine: str, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the workstation's logits, float32 (N, classes), of the same family of kernels."""
    with suppress_output():
        if ENGINES[engine].family != "builtin":
            with Classifier.load(file, engine=engine) as classifier:
                return np.stack([classifier.logits(image) for image in images])
        # On this processor tflite-runtime has other kernels than on the board; LiteRT's built-in kernels are the same.
        from ai_edge_litert.interpreter import OpResolverType

        sealed = sealed_model.read(file)
        built_in = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        library = ENGINES["litert"].library
        options = {"threads": 1, "library": library, "experimental_op_resolver_type": built_in}
        loaded = litert.load(sealed.payload, sealed.contract, **options)
        return np.stack([loaded.run_one(image) for image in images])
