"""Knowledge distillation: the probabilities of trained networks become part of a student's targets.

Source: G. Hinton, O. Vinyals, J. Dean, "Distilling the Knowledge in a Neural Network", 2015, https://arxiv.org/abs/1503.02531
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

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
from .trained_network import TrainedNetwork

__all__ = ["check", "soft_targets"]

_BATCH = 500  # images


def check(teachers: Sequence[TrainedNetwork], dataset: Dataset, split: Split) -> None:
    """Raise InputError unless each teacher was trained on the same split: else it may have seen the test images."""
    for teacher in teachers:
        if teacher.trained_on != (dataset.sha256, split.sha256):
            raise InputError(
                f"--teacher {teacher.name}: may have seen images that measure its student, since it was not trained on "
                f"the training images of {dataset.source}; name a run that was, or its own data with --data"
            )


def soft_targets(
    teachers: Sequence[TrainedNetwork], images: NDArray[np.uint8], recipe: Recipe, pool: Pool | None = None
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


def _stored(
    teacher: TrainedNetwork, images: NDArray[np.uint8], recipe: Recipe, pool: Pool | None
) -> NDArray[np.float16]:
    """Return a teacher's probabilities, float16 (variants + 1, N, classes), memory-mapped from its file."""
    variants = recipe.variants if recipe.augmented_epochs else 0
    parts = (recipe.rotation, recipe.shear, recipe.zoom, recipe.shift)
    libraries = [version(name) for name in ("mnist-edge", "tensorflow")]
    drawn = [teacher.sha256, variants, *parts, *libraries, *([pool.sha256] if pool else [])]
    assert teacher.answers
    file = teacher.answers / f"answers-{hashlib.sha256(json.dumps(drawn).encode()).hexdigest()[:8]}.npy"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        with temporary_path(file) as temporary:
            _write(temporary, teacher, images, recipe, variants)
            with teacher.unchanged():
                os.replace(temporary, file)
    found: NDArray[np.float16] = np.load(file, mmap_mode="r")
    return found


def _write(file: Path, teacher: TrainedNetwork, images: NDArray[np.uint8], recipe: Recipe, variants: int) -> None:
    model = keras.models.load_model(teacher.file, compile=False)
    shape = (variants + 1, len(images), model.output_shape[-1])
    predict = tf.function(lambda pixels: model(pixels, training=False))
    starts = range(0, len(images), _BATCH)
    # Written, not mapped: a full disk is an error of a write, of a mapping it kills the process.
    with progress_bar(f"asking {teacher.name}", shape[0] * len(starts), log=True) as advance, open(file, "wb") as out:
        header = {"descr": np.dtype(np.float16).str, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(out, header)  # type: ignore[no-untyped-call]
        for variant in range(variants + 1):
            transforms = variant_transforms(recipe, len(images), TEACHER_SEED, variant)
            for start in starts:
                part = slice(start, start + _BATCH)
                pixels = images[part, ..., np.newaxis] / np.float32(255)
                moved = pixels if variant == variants else augmentation.apply_affine(pixels, transforms[part])
                out.write(np.asarray(predict(moved), np.float16).tobytes())
                advance(1)
        out.flush()
        os.fsync(out.fileno())  # before it is renamed, or after a loss of power there might be zeros
