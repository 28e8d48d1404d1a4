"""Import TensorFlow without its messages."""

from __future__ import annotations

import os

from mnist_edge_runtime.output_capture import suppress_output

__all__ = ["import_tensorflow"]


def import_tensorflow() -> None:
    """Import TensorFlow and suppress its output, which is for its developers; no setting silences all of it."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with suppress_output():
        import tensorflow  # noqa: F401
