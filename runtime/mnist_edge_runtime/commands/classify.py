"""`mnist-edge-runtime classify`: pictures in, an answer for each as soon as it is known."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from ..classifier import Classifier
from ..errors import BlankError, InputError, MnistEdgeError, UsageError
from ..preprocessing import mnist
from . import image_sources, output_formats
from .common import load

if TYPE_CHECKING:
    from ..unverified.classifier import UnverifiedClassifier

__all__ = ["add_command"]


def add_command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], model: str, *parents: argparse.ArgumentParser
) -> None:
    """Add the command to the parser; `model` is what its help says of --model."""
    parser = commands.add_parser("classify", parents=parents, help="read the digit in each picture")
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="PNG, JPEG, BMP, PGM or .npy; a folder of them; or - for pictures (one after the other) or JSON lines "
        '({"file": "a.png"} or {"pixels": [[0, 255, ...], ...]}) on stdin',
    )
    parser.add_argument("--model", help=model)
    parser.add_argument(
        "--no-verify",
        action="store_true",
        help="run a model file that carries no contract, in a process of its own with limits on memory and time",
    )
    parser.add_argument("--recursive", action="store_true", help="look into the folders inside folders, too")
    parser.add_argument(
        "--watch", action="store_true", help="go on with files that come into the folders, until stopped"
    )
    parser.add_argument(
        "--preprocess",
        choices=mnist.PREPROCESSING,
        default="auto",
        help="mnist: bring to MNIST's form; none: 28 x 28 as they are; auto: none if it has that form (default: auto)",
    )
    parser.add_argument("--show-input", metavar="FILE.png", help="write what the model saw, the pictures side by side")
    forms = parser.add_mutually_exclusive_group()
    forms.add_argument("--json", action="store_true", help="print one JSON document and nothing else")
    forms.add_argument(
        "--jsonl", action="store_true", help="print one JSON document a line, each as soon as it is known"
    )
    forms.add_argument("--csv", action="store_true", help="print a table of comma-separated values")
    parser.set_defaults(run=_classify)


def _classify(arguments: argparse.Namespace) -> MnistEdgeError | None:
    """Answer picture by picture; a bad one is reported, the others are still read."""
    if arguments.watch and arguments.json:
        raise UsageError("--watch has no end at which to print one document; take --jsonl")
    if arguments.no_verify and arguments.model is None:
        raise UsageError("--no-verify is for a model file of another maker; name it with --model")
    pictures = image_sources.open_all(arguments.files, recursive=arguments.recursive, watch=arguments.watch)
    if arguments.watch and arguments.show_input:
        raise UsageError("--watch has no end at which to write what was seen; leave out --show-input")
    failure: MnistEdgeError | None = None
    seen = []
    with _load(arguments) as classifier, _writer(arguments, classifier) as writer:
        for picture in pictures:
            try:
                image = picture.read(arguments.preprocess)
                prediction = classifier.classify(image)
            except BlankError as error:
                writer.blank(picture.name, str(error).removeprefix(f"{picture.name}: "))
            except InputError as error:
                failure = error
                print(f"error: {error}", file=sys.stderr, flush=True)
                writer.failed(picture.name, error)
            else:
                writer.answered(picture.name, prediction)
                if arguments.show_input:
                    seen.append(image)
    if seen:
        mnist.save(seen, arguments.show_input)
    return failure


def _load(arguments: argparse.Namespace) -> Classifier | UnverifiedClassifier:
    if not arguments.no_verify:
        return load(arguments)
    from ..unverified.classifier import (
        UnverifiedClassifier,  # needed by few, and everybody waits for what is imported above
    )

    classifier = UnverifiedClassifier(arguments.model, engine=arguments.engine)
    print(f"warning: nothing proves {arguments.model}: {classifier.assumptions}", file=sys.stderr)
    return classifier


def _writer(arguments: argparse.Namespace, classifier: Classifier | UnverifiedClassifier) -> output_formats.Writer:
    form = next((form for form in ("json", "jsonl", "csv") if getattr(arguments, form)), "text")
    return output_formats.WRITERS[form](str(classifier.file))
