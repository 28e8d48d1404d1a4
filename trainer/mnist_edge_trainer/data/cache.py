"""Name the places of what is downloaded or made once for all runs of this user."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["folder", "keras_file", "mnist_file"]


def folder() -> Path:
    """Return the folder of this product, which may not be there yet."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "mnist-edge"


def mnist_file() -> Path:
    """Return the path of the cached download of MNIST."""
    return folder() / "mnist.npz"


def keras_file() -> Path:
    """Return the path of the cache of `keras.datasets.mnist.load_data`."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "datasets" / "mnist.npz"
