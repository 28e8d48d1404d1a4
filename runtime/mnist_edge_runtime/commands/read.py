"""`mnist-edge-runtime read`: read the handwritten lines of digits on pictures."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..answer_fields import lines_fields
from ..classifier import Classifier
from ..command_line import print_error
from ..errors import BlankError, InputError, MnistEdgeError, UsageError
from ..json_output import print_json
from ..preprocessing.image_io import check_target, save_picture, shrunk_by
from ..preprocessing.pillow_decoder import pillow
from ..time_limit import Limit
from . import image_sources, jobs, output_formats
from .common import load
from .image_sources import Notice, Picture
from .tasks import PictureTask, answers

if TYPE_CHECKING:
    from ..line_reader import Digit

__all__ = ["add_command"]


def add_command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], model: str, *parents: argparse.ArgumentParser
) -> None:
    """Add the command to the parser; `model` is the help of --model."""
    parser = commands.add_parser("read", parents=parents, help="Read the lines of handwritten digits on pictures.")
    parser.add_argument("files", nargs="+", metavar="FILE", help="Picture, or .npy file; or folder of them.")
    parser.add_argument("--model", help=model)
    parser.add_argument("--recursive", action="store_true", help="Also look into the folders inside folders.")
    jobs.add_option(parser)
    parser.add_argument(
        "--annotate", metavar="OUT.png", help="Write the only picture with a box around each digit, as a PNG."
    )
    output_formats.add_options(parser, "json", "jsonl")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> MnistEdgeError | None:
    if "-" in arguments.files:
        raise InputError("read takes no stdin; name a file (./- is one of the name -)")
    single = None if len(arguments.files) > 1 or os.path.isdir(arguments.files[0]) else arguments.files[0]
    if arguments.annotate:
        if single is None:
            raise UsageError("--annotate is for one picture; name one file")
        check_target(Path(arguments.annotate), single)
    pictures = image_sources.open_all(arguments.files, recursive=arguments.recursive, whole=True)
    with load(arguments, accept_all=arguments.accept_all) as classifier:
        if single is None:
            return _read_all(*jobs.choose(pictures, arguments.jobs), classifier, arguments)
        ((_, found),) = answers(_Read(classifier, arguments.debug, keep=bool(arguments.annotate)), pictures, 1)
    if isinstance(found, BlankError):
        kept, lines, reason = None, [], str(found)
    elif isinstance(found, MnistEdgeError):
        raise found
    else:
        (lines, kept), reason = found, None
    if kept is not None:
        picture, by = kept
        _annotate(picture, by, lines, Path(arguments.annotate))
    model = str(classifier.file)
    if arguments.form == "json":
        print_json({"model": model, "file": single, **lines_fields(lines, reason)})
        return None
    with output_formats.WRITERS[arguments.form](model) as writer:
        writer.read(single if arguments.form == "jsonl" else "", lines, reason)
    return None


def _read_all(
    pictures: Iterable[Picture | Notice], processes: int, classifier: Classifier, arguments: argparse.Namespace
) -> MnistEdgeError | None:
    """Read the pictures, print what is on each, and return the error of the last bad one."""
    failure = None
    with (
        output_formats.WRITERS[arguments.form](str(classifier.file)) as writer,
        closing(answers(_Read(classifier, arguments.debug), pictures, processes)) as answered,
    ):
        for picture, found in answered:
            if isinstance(picture, Notice):
                picture.show(picture.name)
            elif isinstance(found, BlankError):
                writer.read(picture.name, [], str(found))
            elif isinstance(found, MnistEdgeError):
                failure = found
                print_error(found)
                writer.failed(picture.name, found)
            else:
                lines, _ = found
                writer.read(picture.name, lines)
    return failure


@dataclass(frozen=True)
class _Read(PictureTask):
    """Return the lines of digits on a picture, in pixels of its file; where it is kept the picture, and its scale."""

    step = "read the picture"

    keep: bool = False

    def answer(self, picture: Picture, limit: Limit) -> Any:
        from ..line_reader import enlarged, read_lines  # no other command waits for its import

        assert isinstance(self.classifier, Classifier)
        try:
            pixels = picture.load()
            limit.again()
            try:
                lines = read_lines(pixels, self.classifier)
            finally:
                limit.pause()
        except BlankError:
            raise
        except InputError as error:
            raise error.at(picture.name) from None
        by = shrunk_by(picture.name, pixels)
        return enlarged(lines, by), (pixels, by) if self.keep else None


def _annotate(picture: NDArray[np.uint8], by: int, lines: list[list[Digit]], file: Path) -> None:
    """Write the picture with a box and a label at each digit: green if it is accepted, else orange.

    It may be smaller than its file, which the boxes are of, by a factor `by`.
    """
    drawn = pillow().fromarray(picture).convert("RGB")
    from PIL import ImageDraw, ImageFont

    draw = ImageDraw.Draw(drawn)
    for prediction, box in ((digit.prediction, digit.box) for line in lines for digit in line):
        left, top, width, height = (value // by for value in box)
        colour = (0, 140, 60) if prediction.accepted else (230, 110, 0)
        pen = max(1, height // 40)
        draw.rectangle((left - pen, top - pen, left + width + pen, top + height + pen), outline=colour, width=pen)
        draw.text(
            (left, top - 2 * pen),
            prediction.label,
            fill=colour,
            font=ImageFont.load_default(size=max(10, height // 3)),
            anchor="lb",
        )
    save_picture(np.asarray(drawn), file)
