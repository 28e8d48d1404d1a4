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
import threading
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..child_process import child_environment, how_it_ended
from ..engines import registry
from ..engines.availability import not_installed
from ..errors import EngineError, InputError, ModelError, UsageError
from ..model_file import sealed_model, signature
from ..model_file.contract import IMAGE_SHAPE
from ..prediction import Prediction, softmax
from .worker import ANSWER, LARGEST_MESSAGE

__all__ = ["MEMORY_BYTES", "SECONDS", "UnverifiedClassifier"]

MEMORY_BYTES = 1024**3  # of address space, of which an engine takes up to 190 MB before it loads a model
SECONDS = 20  # for loading, and again for each image
_GRACE_SECONDS = 5  # after which a child is ended that did not end itself


class UnverifiedClassifier:
    """Classify as `Classifier` does, with a file that carries no contract. Not for use by two threads at a time."""

    def __init__(
        self, path: str | Path, *, engine: str | None = None, allowed_signers: str | Path | None = None
    ) -> None:
        """Start the child and load the file there.

        Args:
            path: a .tflite or .onnx file.
            engine: insist on this one.
            allowed_signers: as of `Classifier.load`.

        Raises:
            InputError: the file cannot be read.
            ModelError: it is too large, unsigned or of an unknown signer, its operators are not allowed, or it is no
                classifier of 28 x 28 images.
            EngineError: no engine here runs it, or one crashed while running it or reached its limits.
            UsageError: `engine` is not for this format, or the system has no such limits.
        """
        if sys.platform == "win32":
            raise UsageError("--no-verify needs limits on memory and time, which Windows does not have")
        payload, named = sealed_model.read_bytes(path)
        if signers := signature.allowed_signers(allowed_signers):
            signature.verify(payload, path, signers)
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

    def classify(self, image: NDArray[np.uint8]) -> Prediction:
        """Return the prediction for one uint8 image (28, 28); it is accepted, since there is no threshold.

        Raises:
            InputError: another dtype or shape.
            EngineError: the engine crashed, reached its limits, or answered with NaN, infinity or another number of
                values than at first.
        """
        if image.dtype != np.uint8 or image.shape != IMAGE_SHAPE:
            raise InputError(f"got {image.dtype} {image.shape}, expected uint8 {IMAGE_SHAPE}")
        message = self._ask(image.tobytes())
        if not message.startswith(ANSWER):
            raise EngineError(f"{self.file}: {self.engine_name} cannot run it: {message[1:].decode(errors='replace')}")
        answer = np.frombuffer(message[1:], np.float32)
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
                command,
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=child_environment(),
            )
            greeting: dict[str, Any] = json.loads(self._ask(payload))
            if "error" in greeting:
                raise EngineError(f"{self.file}: {name} cannot run it: {greeting['error']}")
            if "classes" in greeting:
                return greeting
        raise EngineError(f"{self.file}: no engine here runs it: {'; '.join(map(not_installed, names))}")

    def _ask(self, data: bytes) -> bytes:
        """Send bytes to the child and return its message."""
        child = self._child
        if child is None:
            raise InputError("this UnverifiedClassifier is closed; load the file again")
        is_late = threading.Event()

        def end_it() -> None:
            is_late.set()
            child.kill()

        # The child ends itself at its limit; this is for one that cannot, wherever in the exchange it stops.
        watchdog = threading.Timer(SECONDS + _GRACE_SECONDS, end_it)
        watchdog.start()
        try:
            return _exchange(child, data)
        except (BrokenPipeError, EOFError):
            child.kill()  # has no effect on one that has ended
            code = child.wait()
            ended = _ending(-signal.SIGALRM if is_late.is_set() else code)
            raise EngineError(f"{self.file}: {self.engine_name} {ended}") from None
        finally:
            watchdog.cancel()


def _exchange(child: subprocess.Popen[bytes], data: bytes) -> bytes:
    """Send bytes to the child and return its message.

    Raises:
        BrokenPipeError, EOFError: it ended.
    """
    assert child.stdin
    view = memoryview(data)
    while view:
        view = view[child.stdin.write(view) :]
    size = int.from_bytes(_read(child, 4), "little")
    if size > LARGEST_MESSAGE:
        raise EOFError  # no worker says that much: the model has taken its process over
    return _read(child, size)


def _read(child: subprocess.Popen[bytes], count: int) -> bytes:
    assert child.stdout
    found = bytearray()
    while len(found) < count:
        part = child.stdout.read(count - len(found))
        if not part:
            raise EOFError
        found += part
    return bytes(found)


def _ending(code: int) -> str:
    """Return in words how a child ended before it had answered."""
    hints = {
        -signal.SIGALRM: f"; the limit of each step is {SECONDS} seconds",
        -signal.SIGABRT: f"; the limit is {MEMORY_BYTES >> 20} MiB of memory",
        -signal.SIGKILL: "; the machine may be out of memory",
    }
    ended = how_it_ended(None if code == -signal.SIGALRM else code)
    return f"{ended} while running the file{hints.get(code, '')}"
