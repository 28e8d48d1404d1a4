"""Fit a network: configuration and data in, a trained run out."""

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
from numpy.typing import NDArray

from ..data.datasets import SPLIT_SEED, Dataset, Split
from ..networks import architectures
from ..networks.config import TrainConfig
from ..networks.recipe import Recipe
from ..progress import progress_bar
from ..runs.run import Run, TrainedRun
from . import checkpoint, distillation
from .callback import Keeper
from .input_pipeline import batches, training_batches

__all__ = ["Fitted", "fit", "train"]

_EVALUATION_BATCH = 500
_MOST_STEPS_AT_ONCE = 16  # more is no faster, and the bar would jump
_DISTRIBUTIONS = ("mnist-edge", "tensorflow", "keras", "numpy", "scikit-learn")


@dataclass(frozen=True)
class Fitted:
    """A network with its final weights, the recipe it was trained by, and the history of its epochs.

    `seconds` is how long the epochs took.
    """

    model: Any
    recipe: Recipe
    history: Mapping[str, list[float]]
    seconds: float

    def measure(self, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> dict[str, float]:
        """Return accuracy and loss on images, uint8 (N, 28, 28), and the indices of their classes, (N,)."""
        classes = self.model.output_shape[-1]
        loss, accuracy = self.model.evaluate(batches(images, labels, classes, _EVALUATION_BATCH), verbose=0)
        return {"accuracy": float(accuracy), "loss": float(loss)}


def train(
    config: TrainConfig,
    dataset: Dataset,
    split: Split,
    folder: Path | None = None,
    teachers: Sequence[Run] = (),
) -> TrainedRun:
    """Train a network and measure it on all three parts of the data.

    On the CPU the same configuration, data, teachers and versions give the same weights, resumed or not.

    Args:
        config: the options.
        dataset: where the split comes from; its test images are measured at the end.
        split: the images that train, and those that choose.
        folder: from `checkpoint.working_folder`; what lies there is continued. None keeps nothing.
        teachers: runs trained on the same split.

    Raises:
        DivergedError: the loss became infinite or NaN.
        InputError: a teacher was trained on other data, or the checkpoint is damaged.
    """
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="mnist-edge-") as temporary:
            return train(config, dataset, split, Path(temporary), teachers)
    distillation.check(teachers, dataset, split)
    fitted = fit(config, split, len(dataset.labels), folder, teachers)
    record = {
        "architecture": config.architecture,
        "parameters": fitted.model.count_params(),
        "macs": architectures.count_macs(fitted.model),
        "labels": list(dataset.labels),
        "seed": config.seed,
        "recipe": asdict(fitted.recipe),
        "teachers": [teacher.name for teacher in teachers],
        "study": config.study,
        "dataset": {**dataset.describe(), "source": dataset.source},
        "split": {
            "seed": SPLIT_SEED,
            "train": len(split.train_images),
            "validation": len(split.validation_images),
            "sha256": split.sha256,
        },
        "metrics": {
            "train": fitted.measure(split.train_images, split.train_labels),
            "validation": fitted.measure(split.validation_images, split.validation_labels),
            "test": fitted.measure(dataset.test_images, dataset.test_labels),
        },
        "seconds": round(fitted.seconds, 1),
        "versions": {"python": sys.version.split()[0], **{name: version(name) for name in _DISTRIBUTIONS}},
    }
    return TrainedRun(model=fitted.model, history=fitted.history, record=record)


def fit(
    config: TrainConfig,
    split: Split,
    classes: int,
    folder: Path,
    teachers: Sequence[Run] = (),
    watch: Callable[[Sequence[float]], None] | None = None,
) -> Fitted:
    """Fit a network to the training images and measure nothing but each epoch on the validation images.

    Args:
        config: the options.
        split: the images that train, and those that choose.
        classes: how many there are.
        folder: where checkpoints are written; what lies there is continued.
        teachers: runs trained on the same split.
        watch: called after each epoch with the validation accuracies of all of them; what it raises ends the training.

    Raises:
        DivergedError: the loss became infinite or NaN.
        InputError: the checkpoint is damaged.
    """
    recipe = config.recipe(len(split.train_images))
    keras.utils.set_random_seed(config.seed)
    tf.config.experimental.enable_op_determinism()
    steps = math.ceil(len(split.train_images) / recipe.batch_size)
    model = _compiled(config, recipe, classes, steps)
    with progress_bar(f"training {config.architecture}", recipe.epochs * steps) as advance:
        keeper = Keeper(model, recipe, checkpoint.read(folder), folder, advance, steps, watch)
        if not keeper.finished:
            model.fit(
                training_batches(
                    split.train_images,
                    split.train_labels,
                    classes,
                    recipe,
                    config.seed,
                    first_epoch=keeper.epochs,
                    answers=distillation.answers(teachers, split.train_images, recipe),
                ),
                validation_data=batches(split.validation_images, split.validation_labels, classes, _EVALUATION_BATCH),
                initial_epoch=keeper.epochs,
                epochs=recipe.epochs,
                steps_per_epoch=steps,
                shuffle=False,  # the pipeline does it
                verbose=0,
                callbacks=_callbacks(keeper, recipe, config.tensorboard),
            )
    keeper.finish()
    return Fitted(model, recipe, keeper.history, keeper.seconds)


def _compiled(config: TrainConfig, recipe: Recipe, classes: int, steps: int) -> Any:
    """Return the network with first weights from the seed, and its optimizer."""
    model = architectures.ARCHITECTURES[config.architecture].build(classes, recipe.dropout)
    total = recipe.epochs * steps
    warmup = round(recipe.warmup * total)
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
    # Several steps in one call cost Python once. An epoch must hold a whole number of calls, or it takes of the next.
    at_once = max(number for number in range(1, _MOST_STEPS_AT_ONCE + 1) if steps % number == 0)
    model.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"], steps_per_execution=at_once)
    optimizer.build(model.trainable_variables)
    return model


def _callbacks(keeper: Keeper, recipe: Recipe, tensorboard: Path | None) -> list[Any]:
    callbacks: list[Any] = [keeper]
    if recipe.ema:
        callbacks.append(keras.callbacks.SwapEMAWeights())  # after the keeper, which then sees the averaged weights
    if tensorboard:
        callbacks.append(keras.callbacks.TensorBoard(tensorboard, write_graph=False))
    return callbacks
