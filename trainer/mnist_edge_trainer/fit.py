"""Fit a network: configuration and data in, a trained run out."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from mnist_edge_runtime.errors import UsageError
from numpy.typing import NDArray

from . import architectures
from .config import TrainConfig
from .data import SPLIT_SEED, Dataset, Split
from .pipeline import batches
from .progress import progress_bar
from .run import TrainedRun

__all__ = ["train"]

_EVALUATION_BATCH = 500
_DISTRIBUTIONS = ("mnist-edge", "tensorflow", "keras", "numpy", "scikit-learn")


def train(config: TrainConfig, dataset: Dataset, split: Split) -> TrainedRun:
    """Train a network and measure it on all three parts of the data.

    On the CPU the same configuration, data and versions give the same weights.

    Raises:
        UsageError: the loss became infinite or NaN.
    """
    recipe = config.recipe(len(split.train_images))
    keras.utils.set_random_seed(config.seed)
    tf.config.experimental.enable_op_determinism()
    classes = len(dataset.labels)
    model = architectures.ARCHITECTURES[config.architecture].build(classes)
    model.compile(
        optimizer=keras.optimizers.Adam(recipe.learning_rate), loss="categorical_crossentropy", metrics=["accuracy"]
    )
    started = time.monotonic()
    steps = math.ceil(len(split.train_images) / recipe.batch_size)
    with progress_bar(f"training {config.architecture}", recipe.epochs * steps) as advance:
        history = model.fit(
            batches(split.train_images, split.train_labels, classes, recipe.batch_size, shuffle_seed=config.seed),
            validation_data=batches(split.validation_images, split.validation_labels, classes, _EVALUATION_BATCH),
            epochs=recipe.epochs,
            shuffle=False,  # tf.data does it
            verbose=0,
            callbacks=[_Display(advance)],
        ).history
    if not all(np.isfinite(values).all() for values in history.values()):
        raise UsageError(f"the loss became NaN or infinite; choose a --learning-rate below {recipe.learning_rate:g}")
    seconds = time.monotonic() - started

    def measured(images: NDArray[np.uint8], labels: NDArray[np.int64]) -> dict[str, float]:
        loss, accuracy = model.evaluate(batches(images, labels, classes, _EVALUATION_BATCH), verbose=0)
        return {"accuracy": float(accuracy), "loss": float(loss)}

    record = {
        "architecture": config.architecture,
        "parameters": model.count_params(),
        "macs": architectures.count_macs(model),
        "labels": list(dataset.labels),
        "seed": config.seed,
        "recipe": asdict(recipe),
        "dataset": {**dataset.describe(), "source": dataset.source},
        "split": {
            "seed": SPLIT_SEED,
            "train": len(split.train_images),
            "validation": len(split.validation_images),
            "sha256": split.sha256,
        },
        "metrics": {
            "train": measured(split.train_images, split.train_labels),
            "validation": measured(split.validation_images, split.validation_labels),
            "test": measured(dataset.test_images, dataset.test_labels),
        },
        "seconds": round(seconds, 1),
        "versions": {"python": sys.version.split()[0], **{name: version(name) for name in _DISTRIBUTIONS}},
    }
    return TrainedRun(model=model, history=history, record=record)


class _Display(keras.callbacks.Callback):  # type: ignore[misc]
    """Moves the bar at every batch, leaves one line an epoch on stderr, and stops when the loss is not finite."""

    def __init__(self, advance: Callable[..., None]) -> None:
        super().__init__()
        self._advance = advance

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        self._started = time.monotonic()

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        loss = (logs or {})["loss"]
        self._advance(1, note=f"loss {loss:.4f}")
        if not math.isfinite(loss):
            self.model.stop_training = True

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        logs = logs or {}
        print(
            f"epoch {epoch + 1}/{self.params['epochs']}  loss {logs['loss']:.4f}  accuracy {logs['accuracy']:.2%}"
            f"  validation loss {logs['val_loss']:.4f}  accuracy {logs['val_accuracy']:.2%}"
            f"  {time.monotonic() - self._started:.1f} s",
            file=sys.stderr,
        )
