"""Knowledge distillation: the probabilities of trained networks become part of a student's targets.

Source: G. Hinton, O. Vinyals, J. Dean, "Distilling the Knowledge in a Neural Network", 2015, https://arxiv.org/abs/1503.02531
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from mnist_edge_runtime.errors import InputError
from mnist_edge_runtime.files import temporary_path
from numpy.typing import NDArray

from ..data.datasets import Dataset, Split
from ..handwriting.pool import Pool
from ..networks.recipe import Recipe
from ..progress import progress_bar
from . import augmentation
from .input_pipeline import TEACHER_SEED, variant_transforms
from .teachers import Teacher

__all__ = ["check", "soft_targets"]

_BATCH = 500  # images


def check(teachers: Sequence[Teacher], dataset: Dataset, split: Split) -> None:
    """Raise InputError unless each teacher was trained on the same split: else it may have seen the test images."""
    for teacher in teachers:
        if teacher.trained_on != (dataset.sha256, split.sha256):
            raise InputError(
                f"teacher {teacher.name}: was trained on other data than {dataset.name}, and may have seen the images "
                "that measure its student; both need the same data"
            )


def soft_targets(
    teachers: Sequence[Teacher], images: NDArray[np.uint8], recipe: Recipe, pool: Pool | None = None
) -> Callable[[int], NDArray[np.float32]] | None:
    """Return a function: number of a variant -> the teachers' mean probabilities, float32 (N, classes).

    Variant -1 is the images without augmentation, and the only one where the recipe has no augmentation. Returns None
    without teachers. The probabilities of a teacher are computed once and kept for all its students.

    Args:
        teachers: they were trained on the same split.
        images: uint8 (N, 28, 28).
        recipe: the augmentation and the number of variants.
        pool: the handwriting that the last of the images are.
    """
    if not teachers:
        return None
    stored = [_stored(teacher, images, recipe, pool) for teacher in teachers]
    return lambda variant: np.mean([each[variant] for each in stored], axis=0, dtype=np.float32)


def _stored(teacher: Teacher, images: NDArray[np.uint8], recipe: Recipe, pool: Pool | None) -> NDArray[np.float16]:
    """Return a teacher's probabilities, float16 (variants + 1, N, classes), memory-mapped from its file."""
    variants = recipe.variants if recipe.augmented_epochs else 0
    parts = (recipe.rotation, recipe.shear, recipe.zoom, recipe.shift)
    drawn = [teacher.model_sha256, variants, *parts, *([pool.sha256] if pool else [])]
    file = teacher.answers / f"answers-{hashlib.sha256(json.dumps(drawn).encode()).hexdigest()[:8]}.npy"
    if not file.exists():
        with temporary_path(file) as temporary:
            _write(temporary, teacher, images, recipe, variants)
            with teacher.unchanged():
                os.replace(temporary, file)
    found: NDArray[np.float16] = np.load(file, mmap_mode="r")
    return found


def _write(file: Path, teacher: Teacher, images: NDArray[np.uint8], recipe: Recipe, variants: int) -> None:
    model = keras.models.load_model(teacher.model_file, compile=False)
    shape = (variants + 1, len(images), model.output_shape[-1])
    probabilities: Any = np.lib.format.open_memmap(file, "w+", np.float16, shape)  # type: ignore[no-untyped-call]
    predict = tf.function(lambda pixels: model(pixels, training=False))
    starts = range(0, len(images), _BATCH)
    with progress_bar(f"asking {teacher.name}", shape[0] * len(starts), log=True) as advance:
        for variant in range(variants + 1):
            transforms = variant_transforms(recipe, len(images), TEACHER_SEED, variant)
            for start in starts:
                part = slice(start, start + _BATCH)
                pixels = images[part, ..., np.newaxis] / np.float32(255)
                moved = pixels if variant == variants else augmentation.apply_affine(pixels, transforms[part])
                probabilities[variant, part] = predict(moved)
                advance(1)
    probabilities.flush()
