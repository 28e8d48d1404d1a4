"""Distillation: what trained networks say of augmented images becomes part of a student's targets.

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
from numpy.typing import NDArray

from ..data.datasets import Dataset, Split
from ..networks.recipe import Recipe
from ..progress import progress_bar
from ..runs.run import Run
from . import augmentation
from .input_pipeline import TAUGHT_SEED, variant_maps

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
    teachers: Sequence[Run], images: NDArray[np.uint8], recipe: Recipe
) -> Callable[[int], NDArray[np.float32]] | None:
    """Return what gives, for a variant's number, the teachers' mean probabilities, float32 (N, classes).

    Variant -1 is the images as they are; without augmentation there is no other. Without a teacher there is nothing.
    What a teacher says is computed once, and kept in its run's folder for all its students.

    Args:
        teachers: the runs that answer.
        images: uint8 (N, 28, 28).
        recipe: the augmentation and the number of variants.
    """
    if not teachers:
        return None
    said = [_said(teacher, images, recipe) for teacher in teachers]
    return lambda variant: np.mean([each[variant] for each in said], axis=0, dtype=np.float32)


def _said(teacher: Run, images: NDArray[np.uint8], recipe: Recipe) -> NDArray[np.float16]:
    """Return a teacher's probabilities, float16 (variants + 1, N, classes), mapped from its file."""
    variants = recipe.variants if recipe.augmented_epochs else 0
    drawn = [variants, recipe.rotation, recipe.shear, recipe.zoom, recipe.shift]
    file = teacher.folder / f"answers-{hashlib.sha256(json.dumps(drawn).encode()).hexdigest()[:8]}.npy"
    if not file.exists():
        temporary = teacher.folder / f".{file.name}.{os.getpid()}"
        try:
            _write(temporary, teacher, images, recipe, variants)
            os.replace(temporary, file)
        finally:
            temporary.unlink(missing_ok=True)
    found: NDArray[np.float16] = np.load(file, mmap_mode="r")
    return found


def _write(file: Path, teacher: Run, images: NDArray[np.uint8], recipe: Recipe, variants: int) -> None:
    model = keras.models.load_model(teacher.model_file, compile=False)
    shape = (variants + 1, len(images), model.output_shape[-1])
    said: Any = np.lib.format.open_memmap(file, "w+", np.float16, shape)  # type: ignore[no-untyped-call]
    answer = tf.function(lambda pixels: model(pixels, training=False))
    starts = range(0, len(images), _BATCH)
    with progress_bar(f"asking {teacher.name}", shape[0] * len(starts)) as advance:
        for variant in range(variants + 1):
            maps = variant_maps(recipe, len(images), TAUGHT_SEED, variant)
            for start in starts:
                part = slice(start, start + _BATCH)
                pixels = images[part, ..., np.newaxis] / np.float32(255)
                said[variant, part] = answer(pixels if variant == variants else augmentation.move(pixels, maps[part]))
                advance(1)
    said.flush()
