"""Where the pictures of `classify` come from: files, folders, folders that are watched, stdin."""

from __future__ import annotations

import os
import signal
import stat
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError, UsageError
from ..preprocessing import mnist
from . import stdin_images

__all__ = ["Picture", "open_all"]

_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".pgm", ".npy")
_POLL_SECONDS = 0.5
_SETTLED_SECONDS = 2.0

# What tells one state of a file from another: when it was written, its size, and which file it is.
_State = tuple[int, int, int]


@dataclass(frozen=True)
class Picture:
    """One picture: its name in the answers, and how it is read as uint8 (28, 28); that raises InputError.

    The reader takes one of `images.PREPROCESSING`.
    """

    name: str
    read: Callable[..., NDArray[np.uint8]]


def open_all(names: Sequence[str], *, recursive: bool, watch: bool) -> Iterator[Picture]:
    """Return the pictures that `names` stand for, read one by one as they are asked for.

    Args:
        names: files, folders, or "-" for stdin.
        recursive: look into the folders inside folders.
        watch: only folders are named; what comes into them is handed out until SIGTERM or SIGINT.

    Raises:
        UsageError: options that do not belong to what is named.
    """
    folders = [Path(name) for name in names if name != "-" and os.path.isdir(name)]
    if watch and len(folders) < len(names):
        raise UsageError(f"--watch is for folders; {next(name for name in names if not os.path.isdir(name))} is none")
    if recursive and not folders:
        raise UsageError("--recursive is for folders, and none is named")
    if names.count("-") > 1:
        raise UsageError("stdin (-) can be read once only")
    return _watched(folders, recursive) if watch else _named(names, recursive)


def _named(names: Sequence[str], recursive: bool) -> Iterator[Picture]:
    for name in names:
        if name == "-":
            yield from (Picture(*found) for found in stdin_images.pictures(sys.stdin.buffer))
        elif os.path.isdir(name):
            empty = True
            for file in _files(Path(name), recursive, _tell):
                empty = False
                yield _of_file(file)
            if empty:
                yield Picture(name, partial(_refuse_empty, name, recursive))
        else:
            yield _of_file(name)


def _of_file(name: str) -> Picture:
    return Picture(name, partial(mnist.read, name))


def _refuse_empty(name: str, recursive: bool, preprocess: str = "auto") -> NDArray[np.uint8]:
    hint = "" if recursive else "; --recursive looks into its folders, too"
    raise InputError(f"{name}: a folder without pictures ({' '.join(_SUFFIXES)}){hint}")


def _files(folder: Path, recursive: bool, tell: Callable[[OSError], None] | None = None) -> Iterator[str]:
    """Yield the picture files of a folder in the order of their names; hidden ones, pipes and devices are left out."""
    for place, folders, names in os.walk(folder, onerror=tell):
        folders[:] = sorted(name for name in folders if recursive and not name.startswith("."))
        for name in sorted(names):
            file = os.path.join(place, name)
            if name.lower().endswith(_SUFFIXES) and not name.startswith(".") and _is_read_to_an_end(file):
                yield file


def _is_read_to_an_end(file: str) -> bool:
    """Return whether reading it does not wait for anybody; one that is gone again is told when it is read."""
    try:
        return stat.S_ISREG(os.stat(file).st_mode)
    except OSError:
        return True


def _tell(error: OSError) -> None:
    print(f"error: {error.filename}: {error.strerror}", file=sys.stderr)


def _watched(folders: list[Path], recursive: bool) -> Iterator[Picture]:
    """Yield each file of the folders once, and again when it was written anew.

    A file still being written is left until it has been the same for a while. What is remembered are the files that
    are there, so a folder that is emptied costs no memory.
    """
    done: dict[str, _State] = {}
    waiting: dict[str, _State] = {}
    with _until_stopped() as stopped:
        while not stopped():
            now = {file: state for folder in folders for file in _files(folder, recursive) if (state := _state(file))}
            for file, state in now.items():
                if done.get(file) == state or not (waiting.get(file) == state or _is_settled(state)):
                    continue
                done[file] = state
                yield _of_file(file)
                if stopped():
                    return
            waiting = now
            done = {file: state for file, state in done.items() if file in now}
            time.sleep(_POLL_SECONDS)


def _state(file: str) -> _State | None:
    """Return the state of a file, None where it is gone again."""
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _is_settled(state: _State) -> bool:
    return time.time_ns() - state[0] > _SETTLED_SECONDS * 1e9


@contextmanager
def _until_stopped() -> Iterator[Callable[[], bool]]:
    """Give the function that tells whether SIGTERM or SIGINT came; a second one ends the process at once."""
    came: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def note(number: int, frame: FrameType | None) -> None:
        came.append(number)
        signal.signal(number, signal.SIG_DFL)

    for number in before:
        signal.signal(number, note)
    try:
        yield lambda: bool(came)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
