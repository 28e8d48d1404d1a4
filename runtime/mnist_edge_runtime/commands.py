"""What the commands of the device's command line share."""

from __future__ import annotations

import argparse
import json
from typing import Any

from .classifier import Classifier
from .quiet import quiet

__all__ = ["load", "print_json"]


def load(arguments: argparse.Namespace) -> Classifier:
    """Make the model ready; engines greet on stderr, which is for errors.

    Raises:
        MnistEdgeError: whatever `Classifier.load` raises.
    """
    with quiet():
        accept_all = getattr(arguments, "accept_all", False)  # only commands that answer have it
        return Classifier.load(arguments.model, engine=arguments.engine, accept_all=accept_all)


def print_json(document: dict[str, Any]) -> None:
    print(json.dumps(document, allow_nan=False))
