"""Compare runs on augmented validation images: 5,000 alone cannot distinguish networks that miss 15 of them.

    python benchmarks/compare_augmented.py runs/models/base-0 runs/models/small-0

Twenty variants of each validation image, turned, sheared, zoomed and shifted as `--augment light` does, are the same
for every run: percent of wrong answers and mean cross-entropy, on the images as they are and on the variants. `base`
and the recipe of `small` were chosen by it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from mnist_edge_trainer.data import datasets
from mnist_edge_trainer.networks.architectures import ARCHITECTURES
from mnist_edge_trainer.networks.recipe import augmented
from mnist_edge_trainer.runs import run
from mnist_edge_trainer.training import augmentation
from numpy.typing import NDArray

VARIANTS = 20
BATCH = 1_000


def wrong(model: keras.Model, images: NDArray[np.float32], labels: NDArray[np.int64]) -> tuple[float, float]:
    """Return the percent of wrong answers and the mean cross-entropy."""
    answer = tf.function(lambda pixels: model(pixels, training=False))
    said = np.concatenate([answer(images[start : start + BATCH]).numpy() for start in range(0, len(images), BATCH)])
    of_label = np.clip(said[np.arange(len(labels)), labels], 1e-7, 1)
    return 100 * float((said.argmax(axis=1) != labels).mean()), float(-np.log(of_label).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path, help="Run folders, trained on the same data.")
    parser.add_argument("--data", default="mnist", help="Data set, as in mnist-edge train.")
    options = parser.parse_args()
    split = datasets.split(datasets.load(options.data))
    light, labels = augmented("light", ARCHITECTURES["base"].recipe), split.validation.labels
    images = split.validation.images[..., np.newaxis] / np.float32(255)
    maps = [augmentation.sample_affine(light, len(images), (7, variant)) for variant in range(VARIANTS)]
    moved = np.concatenate([augmentation.apply_affine(images, each).numpy() for each in maps])
    print("run                 wrong %    loss  moved, wrong %    loss")
    for folder in options.runs:
        model = keras.models.load_model(folder / run.MODEL, compile=False)
        still, variants = wrong(model, images, labels), wrong(model, moved, np.tile(labels, VARIANTS))
        print(f"{folder.name:20s}{still[0]:7.2f}{still[1]:8.4f}{variants[0]:16.3f}{variants[1]:8.4f}", flush=True)


if __name__ == "__main__":
    main()
