"""`mnist-edge-runtime watch`: classify every picture that comes into a folder, until stopped."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from ..command_line import tell
from ..errors import InputError, MnistEdgeError
from ..service import inbox
from . import output_formats
from .common import add_classify_options, answer_all, load_any
from .image_sources import Picture

__all__ = ["add_command"]


def add_command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], model: str, *parents: argparse.ArgumentParser
) -> None:
    """Add the command to the parser; `model` is the help of --model."""
    parser = commands.add_parser(
        "watch",
        parents=parents,
        allow_abbrev=False,  # --json, which has no end here, would be taken for --jsonl
        help="Classify the pictures in a folder, then those that come into it, until stopped.",
    )
    parser.add_argument("folders", nargs="+", metavar="FOLDER", help="Folder to watch.")
    add_classify_options(parser, model)
    output_formats.add_options(parser, "jsonl", "csv")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> MnistEdgeError | None:
    for name in arguments.folders:
        if not os.path.isdir(name):
            what = "is no folder" if os.path.exists(name) else "there is no such folder"
            raise InputError(f"{name}: {what}; name a folder into which pictures come")
    folders = [Path(name) for name in arguments.folders]
    files = inbox.watch(folders, recursive=arguments.recursive, tell=tell)
    failure: MnistEdgeError | None = None
    with load_any(arguments) as classifier:
        for found in answer_all(map(Picture.of_file, files), classifier, arguments):
            failure = found if isinstance(found, MnistEdgeError) else failure
    return failure
