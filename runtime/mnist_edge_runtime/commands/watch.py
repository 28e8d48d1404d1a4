"""`mnist-edge-runtime watch`: classify the pictures that come into folders, or read what is before a camera."""

from __future__ import annotations

import argparse
import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from ..command_line import tell
from ..errors import InputError, MnistEdgeError, UsageError
from ..preprocessing.regular_files import kind_of_file
from ..service import folder_watcher
from ..text_output import percent, printable
from ..time_limit import model_limit
from . import camera_options, inbox_option, mqtt_options, output_formats
from .common import add_classify_options, answer_all, load, load_any
from .image_sources import Picture

if TYPE_CHECKING:
    from ..service.observer import Observation

__all__ = ["add_command"]

_DESCRIPTION = (
    "With folders, classify the pictures in them, then those that come into them. Without, read the digit or number "
    "before a camera, or another --source of frames, and print it once consecutive frames agree, then whenever it "
    "changes. Both go on until stopped."
)
_OF_FRAMES = {
    "source": None,
    "every": None,
    "region": None,
    "expect": None,
    "rising": False,
    "inbox": None,
    **mqtt_options.DEFAULTS,
}
_OF_FOLDERS = {"recursive": False, "preprocess": "auto", "no_verify": False}


def add_command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], model: str, *parents: argparse.ArgumentParser
) -> None:
    """Add the command to the parser; `model` is the help of --model."""
    parser = commands.add_parser(
        "watch",
        parents=parents,
        allow_abbrev=False,  # --json, which has no end here, would be taken for --jsonl
        help="Classify the pictures that come into folders, or read the number before a camera, until stopped.",
        description=_DESCRIPTION,
    )
    parser.add_argument("folders", nargs="*", metavar="FOLDER", help="Folder to watch. (default: watch a camera)")
    add_classify_options(parser, model)
    output_formats.add_options(parser, "jsonl", "csv")
    frames = parser.add_argument_group("without folders")
    frames.add_argument("--source", help=f"Source of frames: {camera_options.SOURCES}. (default: camera)")
    camera_options.add_options(frames)
    frames.add_argument(
        "--every",
        type=_seconds,
        metavar="SECONDS",
        help="Print the newest reading each time so many seconds have gone by, whether it has changed or not.",
    )
    inbox_option.add_option(
        frames, "the digits that it is unsure of are kept, as DIR/unsure/NAME.png, to be labelled and trained with"
    )
    mqtt_options.add_options(parser.add_argument_group("to publish readings"))
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> MnistEdgeError | None:
    if not arguments.folders:
        _refuse(arguments, _OF_FOLDERS, "is for folders, and none is named")
        if arguments.form == "csv":
            raise UsageError("--csv is for folders, and none is named; --jsonl prints readings for programs")
        _watch_frames(arguments)
        return None
    _refuse(arguments, _OF_FRAMES, "is for frames of a camera; leave out the folders")
    for name in arguments.folders:
        if not os.path.isdir(name):
            raise InputError(f"{name}: {_no_folder(name)}")
    folders = [Path(name) for name in arguments.folders]
    files = folder_watcher.watch(folders, recursive=arguments.recursive, tell=tell)
    failure: MnistEdgeError | None = None
    with load_any(arguments) as classifier:
        for found in answer_all(map(Picture.of_file, files), classifier, arguments):
            failure = found if isinstance(found, MnistEdgeError) else failure
    return failure


def _no_folder(name: str) -> str:
    """Return why a name is no folder to watch, and what to do."""
    wanted = "name a folder into which pictures come, or a --source of frames"
    if not os.path.exists(name):
        return f"there is no such folder; {wanted}"
    is_picture = os.path.isfile(name) and kind_of_file(name).is_picture
    return f"is no folder{' but one picture, which the commands read and classify answer' * is_picture}; {wanted}"


def _refuse(arguments: argparse.Namespace, defaults: Mapping[str, object], why: str) -> None:
    for name, default in defaults.items():
        if getattr(arguments, name) != default:
            raise UsageError(f"--{name.replace('_', '-')} {why}")


def _watch_frames(arguments: argparse.Namespace) -> None:
    from ..service.frame_reader import FrameReader  # folders do not wait for these imports
    from ..service.frame_sources import CAMERA, open_source
    from ..service.stopping import until_stopped

    mqtt_options.check(arguments)
    source = open_source(arguments.source or CAMERA, "--source")
    with (
        load(arguments, accept_all=arguments.accept_all) as classifier,
        until_stopped() as is_stopped,
        mqtt_options.publisher(arguments) as publisher,
    ):
        inbox = inbox_option.opened(arguments, classifier)
        observer, due = camera_options.observer(arguments, classifier, inbox), None

        def has_ended() -> bool:
            return is_stopped() or bool(publisher and publisher.failure)

        def answer(observation: Observation | None) -> None:
            if publisher and observation:
                publisher.put(observation.to_dict())
            _print(observation, arguments.form)

        with FrameReader(source, tell) as reader, model_limit(classifier.file, "read a frame") as limit:
            limit.pause()
            for frame in reader.frames(has_ended):
                limit.again()
                new = observer.look(frame)
                limit.pause()
                if arguments.every is None:
                    answer(new)
                elif observer.newest and (due is None or monotonic() >= due):
                    due = monotonic() + arguments.every
                    answer(observer.newest)
    tell(f"{source.name}: {reader.came:,} frames, {reader.dropped:,} dropped, {observer.damaged:,} damaged")
    if (lack := observer.lack(reader.came)) and not is_stopped():
        raise InputError(f"{source.name}: {lack}")


def _print(observation: Observation | None, form: str) -> None:
    if observation is None:
        return
    if form == "jsonl":
        print(json.dumps(observation.to_dict(), allow_nan=False), flush=True)
        return
    reading, text = observation.reading, printable(observation.reading.text)
    if reading.accepted:
        least = min(digit.prediction.confidence for digit in reading.digits)
        line = f"{text}  each at least {percent(least)}" + (f"  {observation.remark}" if observation.remark else "")
    else:
        line = f"unsure  perhaps {text}: {reading.reason}" if text else f"unsure  {reading.reason}"
    print(f"frame {observation.frame}: {line}", flush=True)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return seconds
