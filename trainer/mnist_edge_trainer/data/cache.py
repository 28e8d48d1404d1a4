"""Name the files in which MNIST lies once it was downloaded, for all runs of this user."""

from __future__ import annotations

import os
from pathlib import Path

from mnist_edge_runtime.host import cache_folder

__all__ = ["keras_file", "mnist_file"]


def mnist_file() -> Path:
    """Return the path of the cached download of MNIST."""
    return cache_folder() / "mnist.npz"


def keras_file() -> Path:
    """Return the path of the cache of `keras.datasets.mnist.load_data`."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "datasets" / "mnist.npz"
