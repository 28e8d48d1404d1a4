"""What the commands of the device's command line share."""

from __future__ import annotations

import argparse

from ..classifier import Classifier
from ..output_capture import suppress_output

__all__ = ["load"]


def load(arguments: argparse.Namespace) -> Classifier:
    """Make the model ready; engines greet on stderr, which is for errors.

    Raises:
        MnistEdgeError: whatever `Classifier.load` raises.
    """
    with suppress_output():
        accept_all = getattr(arguments, "accept_all", False)  # only commands that answer have it
        return Classifier.load(arguments.model, engine=arguments.engine, accept_all=accept_all)
