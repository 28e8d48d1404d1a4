"""Load a pool of handwritten digits: made once, and cached."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from mnist_edge_runtime.command_line import tell
from mnist_edge_runtime.errors import InputError, UsageError
from mnist_edge_runtime.files import atomic_path
from mnist_edge_runtime.host import cache_folder
from mnist_edge_runtime.model_file.contract import IMAGE_SHAPE
from numpy.typing import NDArray

from ..progress import progress_bar, warn
from .generator import VERSION, generate
from .styles import DIGITS, styles

__all__ = ["HELD_OUT", "LARGEST", "VERSION", "Pool", "for_training", "held_out", "load"]

LARGEST = 20_000  # digits that train; more than any training image's neighbours in style
HELD_OUT = 20_000  # digits on which a threshold is chosen that lets one mistake in a thousand through
SEED = 0  # of the digits that train


@dataclass(frozen=True, eq=False)
class Pool:
    """Images uint8 (N, 28, 28), white ink on black, and the digit of each, int64 (N,)."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]

    @cached_property
    def sha256(self) -> str:
        """The SHA-256 of the images and the labels."""
        return hashlib.sha256(self.images.tobytes() + self.labels.astype("<i8").tobytes()).hexdigest()

    def describe(self) -> dict[str, Any]:
        """Describe the pool for `run.json`."""
        return {"version": VERSION, "images": len(self.images), "sha256": self.sha256}


@lru_cache(maxsize=1)  # the trials of a search share it
def for_training(count: int, labels: tuple[str, ...]) -> Pool:
    """Return the pool for a data set: as many digits as it has training images, at most `LARGEST`.

    Args:
        count: the number of training images.
        labels: the names of the classes; the pool's labels become indices of these.

    Raises:
        UsageError: a digit is not among them.
    """
    if missing := [digit for digit in DIGITS if digit not in labels]:
        raise UsageError(
            f"--handwriting draws the digits 0 to 9, and the data has no class {missing[0]!r}; leave the option out"
        )
    return _labelled(load(min(count, LARGEST)), labels)


def held_out(labels: tuple[str, ...]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return `HELD_OUT` digits of the held-out styles and the indices of their classes among these labels."""
    drawn = _labelled(load(HELD_OUT, held_out=True), labels)
    return drawn.images, drawn.labels


def _labelled(pool: Pool, labels: tuple[str, ...]) -> Pool:
    return Pool(pool.images, np.array([labels.index(digit) for digit in DIGITS])[pool.labels])


def load(count: int, *, held_out: bool = False, seed: int = SEED) -> Pool:
    """Return the digits of a seed, numbers 0 to `count` - 1, from the cache if they are there, else drawn now.

    Args:
        count: the number of digits.
        held_out: digits in the styles that are held out, for choosing thresholds, instead of those that train.
        seed: random seed.
    """
    file = _file(count, held_out, seed)
    if pool := _cached(file, count, held_out, seed):
        return pool
    tell(f"drawing {count:,} handwritten digits, once, for {file}")
    pool = Pool(_draw(count, held_out, seed, log=True), np.arange(count, dtype=np.int64) % len(DIGITS))
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with atomic_path(file) as temporary, open(temporary, "wb") as opened:
            np.savez_compressed(opened, images=pool.images)
    except OSError as error:
        warn(f"{file} cannot be written ({error.strerror}): the next run draws again.")
    return pool


def _file(count: int, held_out: bool, seed: int) -> Path:
    kind = "held-out-" if held_out else ""
    return cache_folder() / f"handwriting-{VERSION}-{kind}{count}-{seed}.npz"


def _cached(file: Path, count: int, held_out: bool, seed: int) -> Pool | None:
    """Return the pool in the file, unless it is damaged or the generator or the preprocessing has changed since."""
    if not file.exists():
        return None
    try:
        with np.load(file, allow_pickle=False) as archive:
            images: NDArray[np.uint8] = archive["images"]
        if images.dtype != np.uint8 or images.shape != (count, *IMAGE_SHAPE):
            raise InputError("it has other arrays")
    except Exception as error:  # zipfile, zlib and numpy each have errors of their own
        tell(f"{file} is ignored: damaged ({error})")
        return None
    once = len(DIGITS) * max(len(styles(digit, held_out)) for digit in DIGITS)  # one of each style, at least
    if not np.array_equal(images[:once], _draw(min(once, count), held_out, seed)):
        tell(f"{file} is ignored: its digits were prepared by another version")
        return None
    return Pool(images, np.arange(count, dtype=np.int64) % len(DIGITS))


def _draw(count: int, held_out: bool, seed: int, *, log: bool = False) -> NDArray[np.uint8]:
    images = np.empty((count, *IMAGE_SHAPE), np.uint8)
    with progress_bar("drawing digits", count, log=log) as advance:
        for number in range(count):
            images[number] = generate(seed, number, held_out=held_out).image
            advance(1)
    return images
