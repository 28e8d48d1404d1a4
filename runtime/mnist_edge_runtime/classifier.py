"""Classify images with a model file, after all its checks: the public face of the runtime."""

from __future__ import annotations

import os
import sys
import weakref
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from . import image_arrays, image_values, models
from .acceptance import acceptance
from .engines import loader
from .errors import EngineError, InputError
from .model_file import sealed_model, signature
from .model_file.contract import IMAGE_SHAPE, Contract
from .prediction import NAN, Prediction, finite, softmax

if TYPE_CHECKING:
    from .engines.base import Engine

__all__ = ["Classifier"]

# Looked up once: a single image is a matter of microseconds.
_UINT8 = np.dtype(np.uint8)
_exp, _sum = np.exp, np.add.reduce


class Classifier:
    """A checked model file on an engine.

    Images are arrays of whole numbers 0 to 255 with white ink (255) on black (0), as MNIST has them: uint8 (28, 28) or
    (N, 28, 28), or what `image_arrays.to_images` brings to that form. `classify` also takes pictures: a file, its
    bytes, a PIL image. Threads may share a classifier; on LiteRT and tflite-runtime they take turns. After `os.fork`,
    and when it was pickled, it loads an engine of its own where it first classifies.

    Attributes:
        contract: all that the file promises.
        engine_name: name of the engine that runs it.
        file: the path that it was loaded from, if it was.
    """

    file: Path | None = None

    def __init__(
        self, sealed: sealed_model.SealedModel, *, engine: str | None = None, threads: int = 1, accept_all: bool = False
    ) -> None:
        """Load a sealed model; `Classifier.load` does it from a path."""
        self.contract: Contract = sealed.contract
        self._sealed, self._threads = sealed, threads
        output = sealed.contract.output
        self._labels, self._threshold = sealed.contract.labels, None if accept_all else output.threshold
        self._temperature = np.float32(output.temperature)
        self._soft_temperature = np.float32(output.temperature * output.softening)
        self._in_integers = None if accept_all else acceptance(output)
        both = [[self._temperature], [self._soft_temperature]]
        self._temperatures = np.array(both[:1] if self._in_integers else both)
        self._shape: tuple[int, ...] = (len(self._labels),)  # of the logits of one image
        # Their product with the logits of a float output is not 0 where one is NaN or infinite. Others never are.
        self._zeros = np.zeros(self._shape, np.float32) if output.dtype == "float32" else None
        self._closed = False
        self.engine_name, loaded = loader.load(sealed.payload, sealed.contract, engine=engine, threads=threads)
        self._engine: Engine | None = loaded
        _open.add(self)

    @classmethod
    def load(
        cls,
        path: str | Path | None = None,
        *,
        engine: str | None = None,
        threads: int = 1,
        accept_all: bool = False,
        allowed_signers: str | Path | None = None,
    ) -> Classifier:
        """Check the file at `path` and make it ready on the first engine that runs it.

        Args:
            path: a .tflite or .onnx file that mnist-edge exported, or the name of a network that ships with this
                package, "base" (the default) or "small".
            engine: name of the only engine to use: "litert", "tflite-runtime" or "onnxruntime".
            threads: threads of the engine; more than 1 gains nothing for single images.
            accept_all: accept every answer, whatever the contract's threshold.
            allowed_signers: a list of signers, by default `~/.config/mnist-edge/allowed_signers` if it is there. With
                one the file needs a signature, FILE.sig; networks of this package need none.

        Raises:
            InputError: the file cannot be read, or its signature cannot be verified here.
            ModelError: it is damaged, carries no contract, or none of the signers signed it; no engine has seen it.
            EngineError: no engine here runs it.
            UsageError: `engine` is unknown or not for this format.
        """
        reasons = []
        network = path if isinstance(path, str) and path in models.NETWORKS else None
        is_ours = path is None or network is not None
        signers = None if is_ours else signature.allowed_signers(allowed_signers)
        for file in models.bundled_models(engine, network) if path is None or is_ours else [Path(path)]:
            try:
                classifier = cls(
                    sealed_model.read(file, signers), engine=engine, threads=threads, accept_all=accept_all
                )
            except EngineError as error:
                reasons.append(f"{file}: {error}")
            else:
                classifier.file = file
                return classifier
        if not reasons:
            raise EngineError(f"no model file for {engine or 'any engine'} ships with this package; name a file")
        raise EngineError("; ".join(reasons))

    def logits(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the logits, float32 (N, classes), of images (N, 28, 28); (classes,) of one image (28, 28).

        They are the engine's, NaN included.

        Raises:
            InputError: no images, or the classifier is closed.
            EngineError: the model answers with another number of values than its contract has labels.
        """
        engine = self._engine or self._reopened()
        if not isinstance(images, np.ndarray) or images.dtype != _UINT8 or images.shape != IMAGE_SHAPE:
            images = image_arrays.to_images(images)
        if images.shape == IMAGE_SHAPE:
            logits, expected = engine.run_one(images), self._shape
        else:
            expected = (len(images), *self._shape)
            logits = engine.run(images) if len(images) else np.empty(expected, np.float32)
        if logits.shape != expected:
            raise _misshapen(logits, expected)
        return logits

    def probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the probabilities, float32 (N, classes), of images (N, 28, 28); (classes,) of one (28, 28).

        Raises:
            InputError: no images, or the classifier is closed.
            EngineError: the model answers with NaN or infinity, or with another number of values than there are labels.
        """
        return softmax(finite(self.logits(images)), self._temperature)

    def classify(self, image: NDArray[np.uint8]) -> Prediction:
        """Return the prediction for one image (28, 28), or for a picture as `image_values.to_image` takes it.

        Raises:
            InputError: no image, one of 0 and 1 alone, or the classifier is closed; BlankError for a blank picture.
            EngineError: the model answers with NaN or infinity, or with another number of values than there are labels.
        """
        engine = self._engine or self._reopened()
        if not isinstance(image, np.ndarray) or image.dtype != _UINT8 or image.shape != IMAGE_SHAPE:
            image = image_values.to_image(image)
        raw = engine.one(engine.encode(image))[0]
        logits = engine.decode(raw)
        if logits.shape != self._shape:
            raise _misshapen(logits, self._shape)
        if self._zeros is not None and self._zeros.dot(logits) != 0:
            raise EngineError(NAN)
        best = int(logits.argmax())
        # As softmax does, for probabilities and score together, and without the steps that only rows of logits need.
        exponentials = _exp((logits - logits[best, ...]) / self._temperatures)
        both = exponentials / _sum(exponentials, axis=1, keepdims=True)
        confidence, reason = both.item(0, best), None
        if confidence != confidence:  # a contract that was never read can have numbers that make NaN
            raise EngineError(NAN)
        if self._threshold is None:
            image_arrays.check_range(image)  # no image that is nearly black is accepted
        elif not (self._in_integers.accepts(raw) if self._in_integers else both.item(1, best) >= self._threshold):
            image_arrays.check_range(image)
            reason = f"its score is {self.scores(logits).item():.3f}, accepted from {self._threshold:.3f}"
        return Prediction(self._labels[best], confidence, both[0], reason is None, reason)

    def scores(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the score of each answer, float32 (N,) in 0..1, from its logits (N, classes).

        It is the largest probability at a temperature at which the ones of letters, scribbles and noise are low.

        Raises:
            EngineError: there is NaN or infinity among them.
        """
        scores: NDArray[np.float32] = softmax(finite(logits), self._soft_temperature).max(axis=-1)
        return scores

    def accepts(self, logits: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Return whether each answer is accepted, bool (N,), from its logits (N, classes): as `classify` does it.

        A file with logits of 8 bits is decided in integers (`acceptance`), others by their `scores`.

        Raises:
            EngineError: there is NaN or infinity among them.
        """
        if self._in_integers:
            return self._in_integers.accepts_each(logits)
        if self._threshold is None:
            return np.ones(len(logits), np.bool_)
        return self.scores(logits) >= self._threshold

    def close(self) -> None:
        """Release the engine, immediately or when the last thread that runs it returns. A closed classifier raises."""
        self._closed = True
        self._engine = None

    def __enter__(self) -> Classifier:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        """Return all but the engine: a copy carries the file, and loads an engine of its own when it first runs."""
        return {**self.__dict__, "_engine": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        _open.add(self)

    def _reopened(self) -> Engine:
        """Return a new engine: in a child process, which has its parent's memory but not its threads, and in a copy."""
        if self._closed:
            raise InputError("this Classifier is closed; load the file again")
        _, loaded = loader.load(self._sealed.payload, self.contract, engine=self.engine_name, threads=self._threads)
        self._engine = loaded
        return loaded


# A child process finds their engines in the state in which a thread of its parent left them.
_open: weakref.WeakSet[Classifier] = weakref.WeakSet()
_inherited: list[Engine] = []


def _after_fork() -> None:
    for classifier in _open:
        if classifier._engine:
            _inherited.append(classifier._engine)  # kept: releasing it may wait for threads that are not here
            classifier._engine = None


if sys.platform != "win32":
    os.register_at_fork(after_in_child=_after_fork)


def _misshapen(logits: NDArray[np.float32], expected: tuple[int, ...]) -> EngineError:
    return EngineError(
        f"the model answers {logits.shape}, expected {expected}, one value for each label; export it again"
    )
