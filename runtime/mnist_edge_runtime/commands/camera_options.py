"""Options of the commands that read what is before a camera, and the observer that they ask for."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..classifier import Classifier
from ..command_line import tell
from ..errors import UsageError
from ..service.region import Region

if TYPE_CHECKING:
    from ..service.camera import Camera
    from ..service.inbox import Inbox
    from ..service.observer import Observer

__all__ = ["SOURCES", "add_options", "check", "live", "observer"]

SOURCES = (
    "camera (a Pi's, or else OpenCV's first), a video, the address of a stream (rtsp://...), a folder whose pictures "
    "are frames, or - for JPEGs one after the other on stdin"
)
_MOST_DIGITS = 40


def add_options(parser: argparse._ActionsContainer) -> None:
    """Add the options that say what is expected in view."""
    parser.add_argument(
        "--region",
        type=_region,
        metavar="X,Y,W,H",
        help="Part of the frame to read, such as a meter's window, in pixels or in shares from 0 to 1.",
    )
    parser.add_argument(
        "--expect", type=_digits, metavar="DIGITS", help="Number of digits; another reading is not accepted."
    )
    parser.add_argument(
        "--rising",
        action="store_true",
        help="Expect a counter: a reading below the last accepted one is not accepted, unless it rolls over to 0.",
    )


def observer(arguments: argparse.Namespace, classifier: Classifier, inbox: Inbox | None = None) -> Observer:
    """Return the observer that these options ask for; it keeps in the inbox what it is unsure of."""
    from ..service.observer import Observer  # few need it, and its import takes time
    from ..service.reading_rules import ReadingRules

    rules = ReadingRules(arguments.expect, arguments.rising)
    return Observer(classifier, region=arguments.region, rules=rules, tell=tell, inbox=inbox)


def check(arguments: argparse.Namespace) -> None:
    """Raise UsageError for options of a camera where there is none."""
    for name in () if arguments.camera else ("region", "expect", "rising"):
        if getattr(arguments, name):
            raise UsageError(f"--{name} is for a camera; add --camera")


@contextmanager
def live(arguments: argparse.Namespace, classifier: Classifier, inbox: Inbox | None = None) -> Iterator[Camera | None]:
    """Yield the camera of --camera, which is read for the time of the block; None without it.

    Raises:
        InputError: there is no such source, or what it needs is not installed.
    """
    if arguments.camera is None:
        yield None
        return
    from ..service.camera import Camera
    from ..service.frame_sources import open_source

    source = open_source(arguments.camera, "--camera")
    with Camera(source, observer(arguments, classifier, inbox), classifier.file) as camera:
        yield camera


def _region(text: str) -> Region:
    try:
        return Region.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _digits(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= _MOST_DIGITS):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of digits from 1 to {_MOST_DIGITS}")
    return int(text)
