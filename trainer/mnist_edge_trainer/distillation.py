"""Distillation: what trained networks say of augmented images becomes part of a student's targets.

Source: G. Hinton, O. Vinyals, J. Dean, "Distilling the Knowledge in a Neural Network", 2015, https://arxiv.org/abs/1503.02531
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from mnist_edge_runtime.errors import InputError
from numpy.typing import NDArray

from . import augmentation
from .data import Dataset, Split
from .pipeline import variant_maps
from .progress import progress_bar
from .recipes import Recipe
from .run import Run

__all__ = ["answers", "check"]

_BATCH = 500


def check(teachers: Sequence[Run], dataset: Dataset, split: Split) -> None:
    """Raise InputError unless each teacher was trained on the same images: others may be its test images."""
    for teacher in teachers:
        record = teacher.record
        if (record["dataset"]["sha256"], record["split"]["sha256"]) != (dataset.sha256, split.sha256):
            raise InputError(
                f"run {teacher.name!r} was trained on other data ({record['dataset']['name']}) than {dataset.source}; "
                "a teacher and its student need the same"
            )


def answers(
    teachers: Sequence[Run], images: NDArray[np.uint8], recipe: Recipe, seed: int, folder: Path
) -> NDArray[np.float16] | None:
    """Return the teachers' mean probabilities, float16 (variants + 1, N, classes), mapped from a file in `folder`.

    Without a teacher there are none. They are computed once, and found there by a training that is resumed. The last
    row is of the images as they are; without augmentation there is no other.

    Args:
        teachers: the runs that answer.
        images: uint8 (N, 28, 28).
        recipe: the augmentation and the number of variants.
        seed: the student's, from which the variants are drawn.
        folder: where the file lies.
    """
    if not teachers:
        return None
    file = folder / "answers.npy"
    if not file.exists():
        temporary = folder / f".{file.name}.{os.getpid()}"
        try:
            _write(temporary, teachers, images, recipe, seed)
            os.replace(temporary, file)
        finally:
            temporary.unlink(missing_ok=True)
    found: NDArray[np.float16] = np.load(file, mmap_mode="r")
    return found


def _write(file: Path, teachers: Sequence[Run], images: NDArray[np.uint8], recipe: Recipe, seed: int) -> None:
    models = [keras.models.load_model(teacher.model_file, compile=False) for teacher in teachers]
    variants = recipe.variants if recipe.augmented_epochs else 0
    shape = (variants + 1, len(images), models[0].output_shape[-1])
    said: Any = np.lib.format.open_memmap(file, "w+", np.float16, shape)  # type: ignore[no-untyped-call]

    mean = tf.function(lambda pixels: tf.add_n([model(pixels, training=False) for model in models]) / len(models))
    starts = range(0, len(images), _BATCH)
    with progress_bar(f"asking {len(teachers)} teachers", shape[0] * len(starts)) as advance:
        for variant in range(variants + 1):
            maps = variant_maps(recipe, len(images), seed, variant)
            for start in starts:
                part = slice(start, start + _BATCH)
                pixels = images[part, ..., np.newaxis] / np.float32(255)
                said[variant, part] = mean(pixels if variant == variants else augmentation.move(pixels, maps[part]))
                advance(1)
    said.flush()
