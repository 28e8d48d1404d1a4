"""Classify handwritten digits on a device with numpy and one engine.

For example::

    from mnist_edge_runtime import Classifier, load_picture, to_mnist

    classifier = Classifier.load()  # or Classifier.load("digits.tflite")
    print(classifier.classify(to_mnist(load_picture("photo.png"))).label)

`__all__` is the public API. Each name is imported when it is first used, so that a program waits only for what it uses.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .classifier import Classifier
    from .errors import (
        BlankError,
        EngineError,
        InputError,
        MnistEdgeError,
        ModelError,
        UsageError,
        VerificationError,
    )
    from .line_reader import Digit, read_lines
    from .model_file.contract import Contract
    from .prediction import Prediction
    from .preprocessing.image_io import load_picture
    from .preprocessing.mnist import to_mnist

__all__ = [
    "BlankError",
    "Classifier",
    "Contract",
    "Digit",
    "EngineError",
    "InputError",
    "MnistEdgeError",
    "ModelError",
    "Prediction",
    "UsageError",
    "VerificationError",
    "__version__",
    "load_picture",
    "read_lines",
    "to_mnist",
]

__version__ = "0.1.0"

# From 1.29 on, onnxruntime reports what it runs to its maker, in a thread of its own. It asks once, at its import.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

_MODULES = {
    "Classifier": "classifier",
    "Contract": "model_file.contract",
    "Digit": "line_reader",
    "Prediction": "prediction",
    "load_picture": "preprocessing.image_io",
    "read_lines": "line_reader",
    "to_mnist": "preprocessing.mnist",
}


def __getattr__(name: str) -> Any:
    """Import the module of a public name when the name is first used."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_MODULES.get(name, 'errors')}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
