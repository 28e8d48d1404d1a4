"""Run a file on one engine in a process of its own; the arguments are FILE ENGINE IMAGES OUT.

tflite-runtime cannot be loaded beside TensorFlow, and an engine that crashes must not end the export.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np
from mnist_edge_runtime import Classifier, EngineError, MnistEdgeError, VerificationError
from mnist_edge_runtime.child_process import run_module
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.time_limit import ENDLESS, SECONDS, time_limit
from numpy.typing import NDArray

__all__ = ["logits"]

_STEP = 32  # images, a multiple of every engine's batch, so that all are run as in one call


def logits(file: Path, engine: str, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the logits, float32 (N, classes), of `file` on `engine` for uint8 images (N, 28, 28).

    Raises:
        EngineError: the engine cannot run the file, crashed while running it, or did not end in time.
    """
    with tempfile.TemporaryDirectory(prefix="mnist-edge-") as folder:
        source, target = Path(folder) / "images.npy", Path(folder) / "logits.npy"
        np.save(source, images)
        child = run_module("mnist_edge_exporters.parity.worker", str(file), engine, str(source), str(target))
        if child.code:
            raise EngineError(f"{engine}: {child.reason}")
        found: NDArray[np.float32] = np.load(target)
        return found


def main(file: str, engine: str, source: str, target: str) -> int:
    """Save the logits of the images in `source` to `target`, in the child."""
    late = f"it did not end within {SECONDS:g} seconds for {_STEP} images: {ENDLESS}"
    images = np.load(source)
    try:
        with (
            time_limit(SECONDS, late, VerificationError.exit_code) as limit,
            Classifier(sealed_model.read(file), engine=engine) as classifier,  # no signature: it is being made
        ):
            answers = []
            for start in range(0, len(images), _STEP):
                answers.append(classifier.logits(images[start : start + _STEP]))
                limit.again()
        np.save(target, np.concatenate(answers))
    except MnistEdgeError as error:
        print(str(error).removeprefix(f"{file}: "), file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
