"""`mnist-edge-runtime classify`: classify pictures, and print each answer as soon as it is known."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..errors import MnistEdgeError
from ..preprocessing.image_io import check_target, save_picture
from . import image_sources, jobs, output_formats
from .common import add_classify_options, answer_all, load_any
from .image_sources import Notice, Picture

__all__ = ["add_command"]


def add_command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], model: str, *parents: argparse.ArgumentParser
) -> None:
    """Add the command to the parser; `model` is the help of --model."""
    parser = commands.add_parser("classify", parents=parents, help="Classify pictures of one digit each.")
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="Picture, or .npy file; folder of them; or - for stdin: one picture, "
        'JPEGs one after the other, or JSON lines ({"file": "a.png"} or {"pixels": [[0, 255, ...], ...]}).',
    )
    add_classify_options(parser, model)
    jobs.add_option(parser)
    parser.add_argument(
        "--show-input", metavar="FILE.png", help="Write the images that the model saw, side by side, as a PNG."
    )
    output_formats.add_options(parser, "json", "jsonl", "csv")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> MnistEdgeError | None:
    if arguments.show_input:
        check_target(Path(arguments.show_input), *arguments.files)
    pictures = image_sources.open_all(arguments.files, recursive=arguments.recursive)
    if arguments.show_input:
        pictures = _checked(pictures, Path(arguments.show_input))
    obstacle = None
    if "-" in arguments.files:
        obstacle = "stdin is a stream"
    elif arguments.no_verify:
        obstacle = "a file without a contract runs under limits in a process of its own"
    failure: MnistEdgeError | None = None
    images = []
    with load_any(arguments) as classifier:
        chosen, processes = jobs.choose(pictures, arguments.jobs, obstacle)
        keep = bool(arguments.show_input)
        for found in answer_all(chosen, classifier, arguments, processes=processes, keep=keep):
            if isinstance(found, MnistEdgeError):
                failure = found
            elif found is not None:
                images.append(found)
    if images:
        save_picture(np.hstack(images), Path(arguments.show_input))
    return failure


def _checked(pictures: Iterator[Picture | Notice], target: Path) -> Iterator[Picture | Notice]:
    """Yield the pictures, of which none, in a folder or named on stdin, may be the file to be written."""
    for picture in pictures:
        if isinstance(picture, Picture):
            check_target(target, picture.name)
        yield picture
