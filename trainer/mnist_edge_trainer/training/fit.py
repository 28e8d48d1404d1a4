"""Fit a network to a data set and measure it."""

from __future__ import annotations

import math
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from mnist_edge_runtime.confidence_interval import interval_of
from numpy.typing import NDArray

from ..data.datasets import Dataset, Split
from ..data.parts import Part
from ..handwriting.pool import Pool, for_training
from ..networks import architectures
from ..networks.config import TrainConfig
from ..networks.recipe import Recipe
from ..progress import progress_bar
from ..runs.run import TrainedRun
from . import checkpoint, distillation
from .callback import TrainingCallback
from .input_pipeline import batches, epoch_length, training_batches
from .trained_network import TrainedNetwork

__all__ = ["Fitted", "fit", "train", "versions"]

_EVALUATION_BATCH = 500  # images
_MAX_STEPS_PER_CALL = 16  # more is no faster, and the progress bar would jump
_DISTRIBUTIONS = ("mnist-edge", "tensorflow", "keras", "numpy", "scikit-learn")


@dataclass(frozen=True)
class Fitted:
    """A network with its final weights, its recipe, the history of its epochs and the seconds they took.

    `handwriting` is the pool of generated digits that trained it, too, or None.
    """

    model: Any
    recipe: Recipe
    handwriting: Pool | None
    history: Mapping[str, list[float]]
    seconds: float

    def measure(self, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> dict[str, Any]:
        """Measure accuracy and loss on images, uint8 (N, 28, 28), with the indices of their classes, (N,)."""
        classes = self.model.output_shape[-1]
        loss, accuracy = self.model.evaluate(batches(images, labels, classes, _EVALUATION_BATCH), verbose=0)
        interval = list(interval_of(float(accuracy), len(labels)))
        return {"accuracy": float(accuracy), "accuracy_interval": interval, "loss": float(loss)}


def train(
    config: TrainConfig,
    dataset: Dataset,
    split: Split,
    folder: Path | None = None,
    teachers: Sequence[TrainedNetwork] = (),
) -> TrainedRun:
    """Train a network and measure it on training, validation and test images.

    On a CPU, the same options, data, teachers and library versions give the same weights, resumed or not.

    Args:
        config: the options.
        dataset: the source of the split; its test images are measured at the end.
        split: the training and the validation images.
        folder: from `checkpoint.working_folder`; a checkpoint in it is resumed. None keeps no checkpoint.
        teachers: networks trained on the same split.

    Raises:
        DivergedError: the loss became infinite or NaN.
        InputError: a teacher was trained on other data, or the checkpoint is damaged.
    """
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="mnist-edge-") as temporary:
            return train(config, dataset, split, Path(temporary), teachers)
    distillation.check(teachers, dataset, split)
    fitted = fit(config, split, dataset.labels, folder, teachers)
    record = {
        "architecture": config.architecture,
        "parameters": fitted.model.count_params(),
        "macs": architectures.count_macs(fitted.model),
        "labels": list(dataset.labels),
        "seed": config.seed,
        "recipe": asdict(fitted.recipe),
        "handwriting": fitted.handwriting and fitted.handwriting.describe(),
        "teachers": [teacher.describe() for teacher in teachers],
        "study": config.study,
        "dataset": {**dataset.describe(), "source": dataset.source},
        "split": split.describe(),
        "metrics": _measured(fitted, dataset, split),
        "seconds": round(fitted.seconds, 1),
        "versions": versions(),
    }
    return TrainedRun(model=fitted.model, history=fitted.history, record=record)


def versions() -> dict[str, str]:
    """Return the versions of Python and of the libraries on which the weights depend."""
    return {"python": sys.version.split()[0], **{name: version(name) for name in _DISTRIBUTIONS}}


def _measured(fitted: Fitted, dataset: Dataset, split: Split) -> dict[str, dict[str, Any]]:
    """Measure the network on the images of each part."""
    test = Part(dataset.test_images, dataset.test_labels)
    parts = {"train": split.train, "validation": split.validation, "test": test}
    found = {}
    with progress_bar("measuring", sum(len(part.labels) for part in parts.values())) as advance:
        for name, part in parts.items():
            found[name] = fitted.measure(*part)
            advance(len(part.labels))
    return found


def fit(
    config: TrainConfig,
    split: Split,
    labels: Sequence[str],
    folder: Path,
    teachers: Sequence[TrainedNetwork] = (),
    watch: Callable[[Sequence[float]], None] | None = None,
) -> Fitted:
    """Fit a network to the training images and the recipe's share of handwriting.

    After each epoch, measure it on the validation images and no others.

    Args:
        config: the options.
        split: the training and the validation images.
        labels: the names of the classes.
        folder: for the checkpoint; one that is there is resumed.
        teachers: networks trained on the same split.
        watch: called after each epoch with the validation accuracies of all epochs; an exception ends the training.

    Raises:
        DivergedError: the loss became infinite or NaN.
        InputError: the checkpoint is damaged.
        UsageError: handwriting is to be mixed in, but the classes are no digits.
    """
    classes, count = len(labels), len(split.train.images)
    recipe = config.recipe(count)
    pool = for_training(count, tuple(labels)) if recipe.handwriting else None
    images, numbers = split.train
    if pool:
        images, numbers = np.concatenate([images, pool.images]), np.concatenate([numbers, pool.labels])
    keras.utils.set_random_seed(config.seed)
    tf.config.experimental.enable_op_determinism()
    steps = math.ceil(epoch_length(count, recipe) / recipe.batch_size)
    model = _compiled(config, recipe, classes, steps)
    with progress_bar(f"training {config.architecture}", recipe.epochs * steps) as advance:
        callback = TrainingCallback(model, recipe, checkpoint.read(folder), folder, advance, steps, watch)
        if not callback.finished:
            model.fit(
                training_batches(
                    images,
                    numbers,
                    classes,
                    recipe,
                    config.seed,
                    first_epoch=callback.epochs,
                    pool=len(images) - count,
                    soft_targets=distillation.soft_targets(teachers, images, recipe, pool),
                ),
                validation_data=batches(*split.validation, classes, _EVALUATION_BATCH),
                initial_epoch=callback.epochs,
                epochs=recipe.epochs,
                steps_per_epoch=steps,
                shuffle=False,  # the pipeline shuffles
                verbose=0,
                callbacks=_callbacks(callback, recipe, config.tensorboard),
            )
    callback.finish()
    return Fitted(model, recipe, pool, callback.history, callback.seconds)


def _compiled(config: TrainConfig, recipe: Recipe, classes: int, steps: int) -> Any:
    """Build and compile the network and its optimizer, with initial weights from the seed."""
    model = architectures.ARCHITECTURES[config.architecture].build(classes, recipe.dropout)
    total = recipe.epochs * steps
    warmup = min(round(recipe.warmup * total), total - 1)  # a step at least decays
    learning_rate = float(recipe.learning_rate)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0 if warmup else learning_rate,
        decay_steps=total - warmup,
        alpha=recipe.final_learning_rate,
        warmup_target=learning_rate if warmup else None,
        warmup_steps=warmup,
    )
    spanned = max(1.0, recipe.ema * total)
    optimizer = keras.optimizers.AdamW(
        schedule, weight_decay=recipe.weight_decay, use_ema=recipe.ema > 0, ema_momentum=1 - 1 / spanned
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "beta", "gamma"])
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=recipe.label_smoothing)
    # Steps per call of the compiled function: more saves Python's overhead, but must divide the steps of an epoch.
    per_call = max(number for number in range(1, _MAX_STEPS_PER_CALL + 1) if steps % number == 0)
    # The metric by its class: one that Keras makes of a name comes during the first trace, which is then made again.
    accuracy = keras.metrics.CategoricalAccuracy("accuracy")
    model.compile(optimizer=optimizer, loss=loss, metrics=[accuracy], steps_per_execution=per_call)
    optimizer.build(model.trainable_variables)
    return model


def _callbacks(callback: TrainingCallback, recipe: Recipe, tensorboard: Path | None) -> list[Any]:
    callbacks: list[Any] = [callback]
    if recipe.ema:
        callbacks.append(keras.callbacks.SwapEMAWeights())  # after our callback, which then sees the averages
    if tensorboard:
        callbacks.append(keras.callbacks.TensorBoard(tensorboard, write_graph=False))
    return callbacks
