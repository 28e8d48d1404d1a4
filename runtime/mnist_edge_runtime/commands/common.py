"""Options and steps that several commands of the device's command line share."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..classifier import Classifier
from ..command_line import print_error, tell
from ..errors import BlankError, EngineError, MnistEdgeError, UsageError
from ..output_capture import suppress_output
from ..preprocessing import mnist
from ..time_limit import model_limit
from . import output_formats
from .image_sources import Notice, Picture
from .tasks import Classify, answers

if TYPE_CHECKING:
    from ..unverified.classifier import UnverifiedClassifier

__all__ = ["add_classify_options", "answer_all", "load", "load_any", "say_default"]


def load(arguments: argparse.Namespace, *, accept_all: bool = False) -> Classifier:
    """Load the model that the command line names, on the engine that it names; one that does not load ends the process.

    Raises:
        MnistEdgeError: as `Classifier.load`.
    """
    with model_limit(arguments.model, "load"), suppress_output():  # engines greet on stderr, which is for errors
        named = arguments.model or arguments.network
        signers = arguments.allowed_signers
        classifier = Classifier.load(named, engine=arguments.engine, accept_all=accept_all, allowed_signers=signers)
    if named is None:
        say_default(classifier.file)
    for warning in classifier.contract.warnings:
        tell(f"WARNING: {warning}")
    return classifier


def say_default(*files: object) -> None:
    """Say which file of this package answers, where none was named."""
    tell(f"model: {', '.join(map(str, files))}, the one in this package")


def add_classify_options(parser: argparse.ArgumentParser, model: str) -> None:
    """Add the options of `classify` and `watch`; `model` is the help of --model."""
    parser.add_argument("--model", help=model)
    parser.add_argument(
        "--no-verify",
        action="store_true",
        help="Run a model file without a contract, in a process of its own with limits on memory and time.",
    )
    parser.add_argument("--recursive", action="store_true", help="Also look into the folders inside folders.")
    parser.add_argument(
        "--preprocess",
        choices=mnist.PREPROCESSING,
        default="auto",
        help="Preprocessing: mnist brings a picture to MNIST's form, none takes 28 x 28 pixels as they are, auto is "
        "none for pictures in that form and mnist for others. (default: auto)",
    )


def load_any(arguments: argparse.Namespace) -> Classifier | UnverifiedClassifier:
    """Load the model, or with --no-verify a model file without a contract.

    Raises:
        UsageError: --no-verify without --model; else as `load`.
    """
    if not arguments.no_verify:
        return load(arguments, accept_all=arguments.accept_all)
    if arguments.model is None:
        raise UsageError("--no-verify is for a model file without a contract; name it with --model")
    from ..unverified.classifier import UnverifiedClassifier  # few need it, and its import takes time

    signers = arguments.allowed_signers
    classifier = UnverifiedClassifier(arguments.model, engine=arguments.engine, allowed_signers=signers)
    tell(f"warning: nothing proves {arguments.model}: {classifier.assumptions}")
    return classifier


def answer_all(
    pictures: Iterable[Picture | Notice],
    classifier: Classifier | UnverifiedClassifier,
    arguments: argparse.Namespace,
    *,
    processes: int = 1,
    keep: bool = True,
) -> Iterator[NDArray[np.uint8] | MnistEdgeError | None]:
    """Classify the pictures and print each answer; yield the model's input, if kept, or the error of a bad picture.

    A bad picture is reported, and the next one is read. A blank one is no error, and yields nothing. What goes wrong
    with one picture is the error of that picture, whatever it is.

    Raises:
        EngineError: with --no-verify, the engine crashed or reached its limits.
    """
    ending = (UsageError, EngineError) if arguments.no_verify else (UsageError,)
    task = Classify(classifier, arguments.debug, ending, arguments.preprocess, keep)
    with (
        output_formats.WRITERS[arguments.form](str(classifier.file)) as writer,
        closing(answers(task, pictures, processes)) as answered,
    ):
        for picture, found in answered:
            if isinstance(picture, Notice):
                picture.show(picture.name)
            elif isinstance(found, ending):
                raise found
            elif isinstance(found, BlankError):
                writer.blank(picture.name, str(found).removeprefix(f"{picture.name}: "), picture.id)
            elif isinstance(found, MnistEdgeError):
                print_error(found)
                writer.failed(picture.name, found, picture.id)
                yield found
            else:
                prediction, image = found
                writer.answered(picture.name, prediction, picture.id)
                yield image
