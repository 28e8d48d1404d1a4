"""The public face of the runtime: a model file that classifies 28 x 28 images."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import engines, sealing, shipped
from .contract import Contract
from .errors import EngineError, InputError

__all__ = ["Classifier", "Prediction", "softmax"]


@dataclass(frozen=True)
class Prediction:
    """What the network says of one image.

    Attributes:
        label: the most probable class.
        confidence: its probability, 0 to 1.
        probabilities: float32 (classes,), in the order of the contract's labels.
        accepted: False where the score is below the contract's threshold; True where it has none.
        reason: why it was not accepted, else None.
    """

    label: str
    confidence: float
    probabilities: NDArray[np.float32]
    accepted: bool
    reason: str | None


class Classifier:
    """A checked model file on an engine.

    Images are uint8 with white ink (255) on black (0), as MNIST has them; `mnist_edge_runtime.images`
    brings any picture to that form.

    Attributes:
        contract: what the file promises.
        engine_name: the engine that runs it.
        file: where it was loaded from, if it was.
    """

    file: Path | None = None

    def __init__(self, sealed: sealing.SealedModel, *, engine: str | None = None, threads: int = 1) -> None:
        """Load a sealed model; `Classifier.load` does it from a path."""
        self.contract: Contract = sealed.contract
        self.engine_name, loaded = engines.load(sealed.payload, sealed.contract, engine=engine, threads=threads)
        self._engine: engines.Engine | None = loaded

    @classmethod
    def load(cls, path: str | Path | None = None, *, engine: str | None = None, threads: int = 1) -> Classifier:
        """Check the file at `path` and make it ready on the first engine that runs it.

        Args:
            path: a .tflite or .onnx file that mnist-edge exported; by default the model that ships with this package.
            engine: insist on this one: "litert", "tflite-runtime" or "onnxruntime".
            threads: threads of the engine; more than 1 gains nothing for single images.

        Raises:
            InputError: the file cannot be read.
            ModelError: it is damaged or carries no contract; no engine has seen it then.
            EngineError: no engine here runs it.
            UsageError: `engine` is unknown or not for this format.
        """
        reasons = []
        for file in shipped.files(engine) if path is None else [Path(path)]:
            try:
                classifier = cls(sealing.read(file), engine=engine, threads=threads)
            except EngineError as error:
                reasons.append(f"{file}: {error}")
            else:
                classifier.file = file
                return classifier
        raise EngineError("; ".join(reasons))

    def logits(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the logits, float32 (N, classes), of uint8 images (N, 28, 28).

        Raises:
            InputError: another dtype or shape.
        """
        if self._engine is None:
            raise InputError("this Classifier is closed; load the file again")
        _check(images, ndim=3)
        if len(images) == 0:
            return np.empty((0, len(self.contract.labels)), np.float32)
        return self._engine.run(images)

    def probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the probabilities, float32 (N, classes), of uint8 images (N, 28, 28).

        Raises:
            InputError: another dtype or shape.
        """
        return softmax(self.logits(images) / np.float32(self.contract.output.temperature))

    def classify(self, image: NDArray[np.uint8]) -> Prediction:
        """Return the prediction for one uint8 image (28, 28).

        Raises:
            InputError: another dtype or shape.
        """
        _check(image, ndim=2)
        logits = self.logits(image[np.newaxis])
        output = self.contract.output
        probabilities = softmax(logits / np.float32(output.temperature))[0]
        best = int(probabilities.argmax())
        reason = None
        if output.threshold is not None:
            score = float(self.scores(logits)[0])
            if score < output.threshold:
                reason = f"the network is unsure: its score is {score:.3f}, accepted from {output.threshold:.3f}"
        return Prediction(
            label=self.contract.labels[best],
            confidence=float(probabilities[best]),
            probabilities=probabilities,
            accepted=reason is None,
            reason=reason,
        )

    def scores(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return how sure the network is of each answer, float32 (N,) in 0..1, from its logits (N, classes).

        It is the largest probability at a temperature at which those of letters, scribbles and noise are low.
        """
        output = self.contract.output
        scores: NDArray[np.float32] = softmax(logits / np.float32(output.temperature * output.softening)).max(axis=1)
        return scores

    def close(self) -> None:
        """Free the engine; the classifier cannot be used afterwards."""
        self._engine = None

    def __enter__(self) -> Classifier:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the probabilities, float32 (N, classes), of logits (N, classes)."""
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
    probabilities: NDArray[np.float32] = exponentials / exponentials.sum(axis=1, keepdims=True)
    return probabilities


def _check(images: Any, *, ndim: int) -> None:
    """Raise InputError unless `images` is a uint8 array of 28 x 28 images with `ndim` dimensions."""
    expected = "(28, 28)" if ndim == 2 else "(N, 28, 28)"
    if not isinstance(images, np.ndarray):
        raise InputError(f"got {type(images).__name__}, expected a numpy array, uint8 {expected}")
    if images.dtype != np.uint8 or images.ndim != ndim or images.shape[-2:] != (28, 28):
        raise InputError(
            f"got {images.dtype} {images.shape}, expected uint8 {expected}; "
            "mnist_edge_runtime.images brings any picture to that form"
        )
