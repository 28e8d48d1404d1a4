"""Fine-tune a network on own pictures, more gently from attempt to attempt until it keeps what it could before.

The weights are averaged with those before, which unlearns less than a lower learning rate does. Source: M. Wortsman et
al., "Robust fine-tuning of zero-shot models", 2022, https://arxiv.org/abs/2109.01903
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from mnist_edge_runtime.confidence_interval import interval_of
from mnist_edge_runtime.errors import VerificationError

from ..data.parts import Part
from ..networks.recipe import Recipe, augmented
from ..progress import progress_bar
from .input_pipeline import batches, epoch_length, training_batches

__all__ = ["LEARNING_RATES", "MOST_LOST", "RECIPE", "SHARES", "Attempt", "fine_tune", "measure", "summed"]

LEARNING_RATES = (1e-3, 3e-4, 1e-4)  # of the trainings, in order
SHARES = (1.0, 0.7, 0.5)  # of the fine-tuned weights in the average that is kept, in the order of trying
MOST_LOST = 0.001  # accuracy on the validation images
RECIPE = augmented("light", Recipe(epochs=8, batch_size=64, learning_rate=LEARNING_RATES[0], warmup=0.05))

_OWN_IMAGES, _MOST_REPEATS = 1500, 25  # of own pictures in an epoch, and of one of them
_REPLAYED = 4500  # images of the data set in an epoch, at least
_EVALUATION_BATCH = 500  # images


@dataclass(frozen=True)
class Attempt:
    """A training at one learning rate and an average of its weights with those before.

    Attributes:
        learning_rate: one of `LEARNING_RATES`.
        share: one of `SHARES`.
        history: of the epochs of the training.
        validation: accuracy and loss of the average on the validation images.
    """

    learning_rate: float
    share: float
    history: Mapping[str, list[float]]
    validation: Mapping[str, Any]


def fine_tune(
    model: Any, own: Part, replay: Part, validation: Part, least: float, recipe: Recipe, seed: int
) -> list[Attempt]:
    """Fine-tune the network in place, and return the attempts; the last is that of its weights.

    All weights are trained but those of batch normalization, whose statistics stay. Each own picture is in an epoch
    several times, each time augmented in another way, among images that are drawn from `replay`.

    Args:
        model: ends in a softmax over all classes.
        own: own pictures that train.
        replay: images that the network reads already, and should not unlearn.
        validation: images that it must read as before.
        least: the accuracy on `validation` that it must reach.
        recipe: the epochs, the batch size and the augmentation.
        seed: random seed of the order and the augmentation.

    Raises:
        VerificationError: the accuracy on the validation images fell too far at each learning rate.
    """
    first, attempts = model.get_weights(), list[Attempt]()
    for learning_rate in LEARNING_RATES:
        model.set_weights(first)
        history = _fit(model, own, replay, validation, recipe, learning_rate, seed)
        last = model.get_weights()
        for share in SHARES:
            model.set_weights([one + share * (other - one) for one, other in zip(first, last, strict=True)])
            attempts.append(Attempt(learning_rate, share, history, measure(model, validation)))
            if attempts[-1].validation["accuracy"] >= least:
                return attempts
    rates = ", ".join(f"{rate:g}" for rate in LEARNING_RATES)
    best = [
        max(each.validation["accuracy"] for each in attempts if each.learning_rate == rate) for rate in LEARNING_RATES
    ]
    reached = ", ".join(f"{accuracy:.2%}" for accuracy in best)
    raise VerificationError(
        f"nothing is kept: at each of {len(LEARNING_RATES)} learning rates ({rates}) the network reads too few of the "
        f"{len(validation.labels):,} validation images ({reached}; {least:.2%} are needed)"
    )


def measure(model: Any, part: Part) -> dict[str, Any]:
    """Measure accuracy and loss on images; a label that the network does not know counts as read wrongly."""
    pixels = part.images[..., np.newaxis] / np.float32(255)
    probabilities = model.predict(pixels, batch_size=_EVALUATION_BATCH, verbose=0)
    width = probabilities.shape[1]
    given = np.where(part.labels < width, probabilities[np.arange(len(pixels)), part.labels.clip(max=width - 1)], 0)
    right = int((probabilities.argmax(axis=1) == part.labels).sum())
    return _figures(right, float(-np.log(np.maximum(given, keras.config.epsilon())).sum()), len(pixels))


def summed(parts: Sequence[tuple[Mapping[str, Any], int]]) -> dict[str, Any]:
    """Return the figures of several parts as those of one; each with its number of images."""
    right = round(sum(each["accuracy"] * count for each, count in parts))
    return _figures(right, sum(each["loss"] * count for each, count in parts), sum(count for _, count in parts))


def _figures(right: int, loss: float, count: int) -> dict[str, Any]:
    accuracy = right / count
    return {"accuracy": accuracy, "accuracy_interval": list(interval_of(accuracy, count)), "loss": loss / count}


def _fit(
    model: Any, own: Part, replay: Part, validation: Part, recipe: Recipe, learning_rate: float, seed: int
) -> dict[str, list[float]]:
    """Train at one learning rate, and return loss and accuracy of each epoch."""
    repeats = max(1, min(_MOST_REPEATS, _OWN_IMAGES // len(own.labels)))
    images, labels = np.repeat(own.images, repeats, axis=0), np.repeat(own.labels, repeats)
    count, replayed = len(labels), min(len(replay.labels), max(_REPLAYED, len(labels)))
    mixed = replace(recipe, handwriting=replayed / (replayed + count))
    steps = math.ceil(epoch_length(count, mixed) / recipe.batch_size)
    normalizations = (each for each in model._flatten_layers() if isinstance(each, keras.layers.BatchNormalization))
    frozen = [each for each in normalizations if each.trainable]
    for layer in frozen:
        layer.trainable = False
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    classes, total = model.output_shape[-1], recipe.epochs * steps
    warmup = round(recipe.warmup * total)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, decay_steps=total - warmup, alpha=0.0, warmup_target=learning_rate, warmup_steps=warmup
    )
    accuracy = keras.metrics.CategoricalAccuracy("accuracy")  # by its class, as in `fit`
    model.compile(optimizer=keras.optimizers.Adam(schedule), loss="categorical_crossentropy", metrics=[accuracy])
    with progress_bar(f"fine-tuning at learning rate {learning_rate:g}", total, log=True) as advance:
        found = model.fit(
            training_batches(
                np.concatenate([images, replay.images]),
                np.concatenate([labels, replay.labels]),
                classes,
                mixed,
                seed,
                pool=len(replay.labels),
            ),
            validation_data=batches(*validation, classes, _EVALUATION_BATCH),
            epochs=recipe.epochs,
            steps_per_epoch=steps,
            shuffle=False,  # the pipeline shuffles
            verbose=0,
            callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: advance(1))],
        )
    for layer in frozen:
        layer.trainable = True
    return {name: [float(value) for value in values] for name, values in sorted(found.history.items())}
