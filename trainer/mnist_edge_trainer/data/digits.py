"""Return scikit-learn's 8 x 8 digits in MNIST's form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from mnist_edge_runtime.preprocessing.mnist import normalize_size

from .parts import Part, Parts

__all__ = ["read"]

_TEST = 300  # test images
_SEED = 0  # of their draw


def read() -> Parts:
    """Return the digits, 300 of them as test images."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    bundled: Mapping[str, Any] = load_digits()
    images = np.stack([normalize_size(image) for image in bundled["images"]])
    labels = bundled["target"].astype(np.int64)
    train_images, test_images, train_labels, test_labels = train_test_split(
        images, labels, test_size=_TEST, stratify=labels, random_state=_SEED
    )
    return Parts(Part(train_images, train_labels), Part(test_images, test_labels))
