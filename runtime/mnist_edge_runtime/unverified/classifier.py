"""Classify with a model file that has no contract, in a child process with limits on memory and time.

Nothing says how such a file is meant, so the usual is assumed: white on black; a float input takes pixel / 255, a
quantized one the same by its own scale and zero point, or the raw pixels (int8: less 128) where it has none; an output
of probabilities is taken as it is, any other as logits; labels are the numbers of the outputs.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..child_process import how_it_ended
from ..classifier import Prediction, softmax
from ..engines import registry
from ..engines.availability import not_installed
from ..errors import EngineError, InputError, ModelError, UsageError
from ..model_file import sealed_model
from ..model_file.contract import IMAGE_SHAPE

__all__ = ["MEMORY_BYTES", "SECONDS", "UnverifiedClassifier"]

MEMORY_BYTES = 1024**3  # of address space, of which an engine takes up to 190 MB before it loads a model
SECONDS = 20  # for loading, and again for each image


class UnverifiedClassifier:
    """Classify as `Classifier` does, with a file that carries no contract. Not for use by two threads at a time."""

    def __init__(self, path: str | Path, *, engine: str | None = None) -> None:
        """Start the child and load the file there.

        Args:
            path: a .tflite or .onnx file.
            engine: insist on this one.

        Raises:
            InputError: the file cannot be read.
            ModelError: it is too large, its operators are not allowed, or it is no classifier of 28 x 28 images.
            EngineError: no engine here runs it, or one crashed while running it or reached its limits.
            UsageError: `engine` is not for this format, or the system has no such limits.
        """
        if sys.platform == "win32":
            raise UsageError("--no-verify needs limits on memory and time, which Windows does not have")
        payload, named = sealed_model.read_bytes(path)
        try:
            named.check_operators(payload)
        except ModelError as error:
            raise ModelError(f"{path}: {error}") from None
        self.file = path
        self._child: subprocess.Popen[bytes] | None = None
        try:
            greeting = self._load(payload, registry.candidates(named.name, engine))
        except EngineError:
            self.close()
            raise
        self.assumptions = str(greeting["assumptions"])
        self._classes = int(greeting["classes"])

    def classify(self, image: NDArray[np.uint8]) -> Prediction:
        """Return the prediction for one uint8 image (28, 28); it is accepted, since there is no threshold.

        Raises:
            InputError: another dtype or shape.
            EngineError: the engine crashed, reached its limits or answered with NaN or infinity.
        """
        if image.dtype != np.uint8 or image.shape != IMAGE_SHAPE:
            raise InputError(f"got {image.dtype} {image.shape}, expected uint8 {IMAGE_SHAPE}")
        answer = np.frombuffer(self._ask(image.tobytes(), 4 * self._classes), np.float32)
        if not np.isfinite(answer).all():
            raise EngineError(f"{self.file}: the model answers with NaN or infinity")
        are_probabilities = answer.min() >= 0 and abs(answer.sum() - 1) < 0.02
        probabilities = answer if are_probabilities else softmax(answer[np.newaxis])[0]
        best = int(probabilities.argmax())
        return Prediction(str(best), float(probabilities[best]), probabilities, accepted=True, reason=None)

    def close(self) -> None:
        """End the child."""
        if self._child:
            self._child.kill()
            self._child.communicate()
            self._child = None

    def __enter__(self) -> UnverifiedClassifier:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _load(self, payload: bytes, names: list[str]) -> dict[str, Any]:
        """Start children until the engine of one is installed, and return its description of the file."""
        for name in names:
            self.close()
            self.engine_name = name
            command = [sys.executable, "-m", "mnist_edge_runtime.unverified.worker", name]
            command += map(str, (len(payload), MEMORY_BYTES, SECONDS))
            self._child = subprocess.Popen(
                command, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
            length = int.from_bytes(self._ask(payload, 4), "little")
            greeting: dict[str, Any] = json.loads(self._ask(b"", length))
            if "error" in greeting:
                raise EngineError(f"{self.file}: {name} cannot run it: {greeting['error']}")
            if "classes" in greeting:
                return greeting
        raise EngineError(f"{self.file}: no engine here runs it: {'; '.join(map(not_installed, names))}")

    def _ask(self, data: bytes, count: int) -> bytes:
        """Send bytes to the child and return `count` bytes of its answer."""
        if self._child is None:
            raise InputError("this UnverifiedClassifier is closed; load the file again")
        assert self._child.stdin
        assert self._child.stdout
        answer = b""
        try:
            view = memoryview(data)
            while view:
                view = view[self._child.stdin.write(view) :]
            while len(answer) < count and (part := self._child.stdout.read(count - len(answer))):
                answer += part
        except BrokenPipeError:
            pass
        if len(answer) < count:
            raise EngineError(f"{self.file}: {self.engine_name} {_ending(self._child.wait())}")
        return answer


def _ending(code: int) -> str:
    """Return in words how a child ended before it had answered."""
    hints = {
        -signal.SIGALRM: f"; the limit of each step is {SECONDS} seconds",
        -signal.SIGABRT: f"; the limit is {MEMORY_BYTES >> 20} MiB of memory",
        -signal.SIGKILL: "; the machine may be out of memory",
    }
    ended = how_it_ended(None if code == -signal.SIGALRM else code)
    return f"{ended} while running the file{hints.get(code, '')}"
