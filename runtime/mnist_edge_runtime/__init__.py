"""Classify handwritten digits on a device with numpy and one engine.

from mnist_edge_runtime import Classifier, images

classifier = Classifier.load()  # or Classifier.load("digits.tflite")
print(classifier.classify(images.read("photo.png")).label)
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from .classifier import Classifier, Prediction
from .contract import Contract
from .errors import BlankError, EngineError, InputError, MnistEdgeError, ModelError, UsageError, VerificationError

if TYPE_CHECKING:
    from . import images

__all__ = [
    "BlankError",
    "Classifier",
    "Contract",
    "EngineError",
    "InputError",
    "MnistEdgeError",
    "ModelError",
    "Prediction",
    "UsageError",
    "VerificationError",
    "__version__",
    "images",
]

__version__ = "0.1.0"

# From 1.29 on, onnxruntime tells its maker what it runs, in a thread of its own. It asks once, when it is imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")


def __getattr__(name: str) -> Any:
    """Import `images` when it is first asked for: who has arrays that are ready starts without it."""
    if name == "images":
        return import_module(".images", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
