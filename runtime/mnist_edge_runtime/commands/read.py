"""`mnist-edge-runtime read`: read the handwritten lines of digits on a picture."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BlankError, InputError
from ..json_output import print_json
from ..preprocessing.image_io import check_target, load_picture, save_picture
from ..preprocessing.pillow_decoder import pillow
from ..text_output import printable
from ..time_limit import model_limit
from .common import load

if TYPE_CHECKING:
    from ..line_reader import Digit

__all__ = ["add_command"]


def add_command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], model: str, *parents: argparse.ArgumentParser
) -> None:
    """Add the command to the parser; `model` is the help of --model."""
    parser = commands.add_parser("read", parents=parents, help="Read the lines of handwritten digits on a picture.")
    parser.add_argument("file", metavar="FILE", help="Picture, or .npy file.")
    parser.add_argument("--model", help=model)
    parser.add_argument(
        "--annotate", metavar="OUT.png", help="Write the picture with a box around each digit, as a PNG."
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> None:
    from ..line_reader import read_lines  # no other command waits for its import

    if arguments.file == "-":
        raise InputError("read takes no stdin; name a file (./- is one of the name -)")
    if arguments.annotate:
        check_target(Path(arguments.annotate), arguments.file)
    with load(arguments, accept_all=arguments.accept_all) as classifier:
        try:
            picture = load_picture(arguments.file, whole=True)
            with model_limit(classifier.file, "read the picture"):
                lines, reason = read_lines(picture, classifier), None
        except BlankError as error:
            lines, reason = [], str(error)
        except InputError as error:
            raise error.at(arguments.file) from None
    if arguments.annotate:
        _annotate(picture, lines, Path(arguments.annotate))
    if arguments.json:
        model = str(classifier.file)
        found = [_as_dict(line) for line in lines]
        print_json({"model": model, "file": arguments.file, "lines": found, "reason": reason})
        return
    if reason:
        print(f"unsure  {reason}")
    for line in lines:
        unsure = sum(not digit.prediction.accepted for digit in line)
        least = min(digit.prediction.confidence for digit in line)
        print(f"{printable(_text(line))}  each at least {least:.1%}" + (f"  unsure of {unsure}" if unsure else ""))


def _text(line: list[Digit]) -> str:
    return "".join(digit.prediction.label for digit in line)


def _as_dict(line: list[Digit]) -> dict[str, Any]:
    return {
        "text": _text(line),
        "digits": [
            {
                "label": digit.prediction.label,
                "confidence": digit.prediction.confidence,
                "box": list(digit.box),
                "accepted": digit.prediction.accepted,
                "reason": digit.prediction.reason,
            }
            for digit in line
        ],
    }


def _annotate(picture: NDArray[np.uint8], lines: list[list[Digit]], file: Path) -> None:
    """Write the picture with a box and a label at each digit: green if it is accepted, else orange."""
    drawn = pillow().fromarray(picture).convert("RGB")
    from PIL import ImageDraw, ImageFont

    draw = ImageDraw.Draw(drawn)
    for left, top, width, height, prediction in ((*digit.box, digit.prediction) for line in lines for digit in line):
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
