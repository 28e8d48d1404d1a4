"""Classify handwritten digits on a device with numpy and one engine.

from mnist_edge_runtime import Classifier, images

classifier = Classifier.load()  # or Classifier.load("digits.tflite")
print(classifier.classify(images.read("photo.png")).label)
"""

from __future__ import annotations

from . import images
from .classifier import Classifier, Prediction
from .contract import Contract
from .errors import EngineError, InputError, MnistEdgeError, ModelError, UsageError, VerificationError

__all__ = [
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
