"""Measure how many digits a model reads in pictures of each kind: on paper, in shadow, thin, small, on a blackboard.

    MNIST_EDGE_DATA=FOLDER python benchmarks/preprocessing.py MODEL

The digits are images of MNIST's validation set, laid into each scene of synthetic_scenes.py at several sizes, and the
drawings of the trainer with a thin pen. The same seed gives the same pictures.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from mnist_edge_runtime import Classifier, InputError
from mnist_edge_runtime.preprocessing import mnist
from mnist_edge_trainer.data import datasets
from numpy.typing import NDArray
from PIL import Image
from synthetic_scenes import SCENES, enlarged, pen

SIDES = (56, 120, 240)  # pixels of the square that the digit comes in
PENS = (0.008, 0.015, 0.03)  # of the side
TILTS = (-8.0, 0.0, 8.0)  # degrees


def pictures(count: int) -> Iterator[tuple[str, str, NDArray[np.uint8]]]:
    """Yield kind, digit and picture, `count` of each kind with MNIST's ink and as many drawn with a thin pen."""
    validation = datasets.split(datasets.load("auto")).validation
    random = np.random.default_rng(0)
    for kind, scene in SCENES.items():
        for number in range(count):
            side = int(random.choice(SIDES)) if kind != "lost" else 56
            index = int(random.integers(len(validation.labels)))
            ink = enlarged(validation.images[index], side, random.uniform(0.35, 0.75))
            yield kind, str(validation.labels[index]), scene(ink, random)
            digit = str(number % 10)
            drawn = pen(digit, side, max(1.0, side * random.choice(PENS)), random.choice(TILTS))
            yield f"{kind}, thin pen", digit, scene(drawn, random)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="Exported file.")
    parser.add_argument("--count", type=int, default=100, help="Number of pictures of each kind.")
    parser.add_argument("--wrong", type=Path, help="Folder for the pictures that were read wrongly.")
    options = parser.parse_args()
    right: dict[str, list[bool]] = defaultdict(list)
    with Classifier.load(options.model) as classifier:
        for kind, digit, picture in pictures(options.count):
            try:
                image = mnist.to_mnist(picture)
                label = classifier.classify(image).label
            except InputError:
                image, label = np.zeros((28, 28), np.uint8), "blank"
            right[kind].append(label == digit)
            if options.wrong and label != digit:
                _save(options.wrong / f"{kind}-{len(right[kind])}-{digit}-as-{label}.png", picture, image)
    for kind, found in right.items():
        print(f"{kind:<20}  {np.mean(found):7.1%}")
    print(f"{'all':<20}  {np.mean([each for found in right.values() for each in found]):7.1%}")


def _save(file: Path, picture: NDArray[np.uint8], image: NDArray[np.uint8]) -> None:
    """Write the picture and, beside it, what the model saw."""
    file.parent.mkdir(parents=True, exist_ok=True)
    seen = np.asarray(Image.fromarray(image).resize((picture.shape[0],) * 2, Image.Resampling.NEAREST))
    Image.fromarray(np.hstack([picture, seen])).save(file)


if __name__ == "__main__":
    main()
