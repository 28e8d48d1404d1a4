"""Watch folders: yield each picture file once it is completely written, until the process is told to stop."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from ..preprocessing.file_kinds import counted
from ..preprocessing.image_io import picture_files
from .stopping import until_stopped

__all__ = ["watch"]

_POLL_SECONDS = 0.5
_SETTLED_SECONDS = 2.0  # since the last change; a file that old is complete at first sight

# Identifies one state of a file: its modification time, its size, and its inode.
_State = tuple[int, int, int]


def watch(folders: Sequence[Path], *, recursive: bool, tell: Callable[[str], None]) -> Iterator[str]:
    """Yield each picture file in the folders once, and again whenever it has been rewritten.

    The files of one look at the folders come folder by folder in the order of their names. A file that is still being
    written is left until two looks, half a second apart, find it unchanged. Only files that are there are remembered,
    so a folder that is emptied costs no memory. A folder that goes is waited for. SIGTERM or SIGINT ends it after the
    file at hand.

    Args:
        folders: the folders to watch.
        recursive: also watch the folders inside them.
        tell: receives a sentence where a folder goes or comes back, and where files are no pictures.
    """
    done: dict[str, _State] = {}
    waiting: dict[str, _State] = {}
    looks = {folder: _Look() for folder in folders}
    with until_stopped() as is_stopped:
        while not is_stopped():
            files = (file for folder, look in looks.items() for file in look.at(folder, recursive, tell))
            now = {file: state for file in files if (state := _state(file))}
            for file, state in now.items():
                if done.get(file) == state or not (waiting.get(file) == state or _is_settled(state)):
                    continue
                done[file] = state
                yield file
                if is_stopped():
                    return
            waiting = now
            done = {file: state for file, state in done.items() if file in now}
            time.sleep(_POLL_SECONDS)


class _Look:
    """What was told of a folder: each change is told once."""

    def __init__(self) -> None:
        self._trouble: dict[str, str] = {}
        self._left_out: list[Counter[str]] = [Counter(), Counter()]  # as told, and at the last look

    def at(self, folder: Path, recursive: bool, tell: Callable[[str], None]) -> Iterator[str]:
        """Yield the picture files in the folder, and tell what has changed."""
        errors: dict[str, str] = {}
        left_out: Counter[str] = Counter()

        def note(error: OSError) -> None:
            errors[str(error.filename)] = error.strerror or str(error)

        yield from picture_files(folder, recursive=recursive, on_error=note, left_out=left_out)
        for name in errors.keys() - self._trouble.keys():
            tell(f"error: {name}: {errors[name]}; it is watched again when it is back")
        for name in self._trouble.keys() - errors.keys():
            if os.path.isdir(name):
                tell(f"{name}: is back, and watched")
        self._trouble = errors
        told, last = self._left_out
        if left_out == last and left_out != told:  # at two looks, so that it is not just being written
            self._left_out[0] = left_out
            if left_out:
                tell(f"{folder}: left out, no pictures: {counted(left_out)}")
        self._left_out[1] = left_out


def _state(file: str) -> _State | None:
    """Return the state of a file, None if it has gone."""
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _is_settled(state: _State) -> bool:
    return time.time_ns() - state[0] > _SETTLED_SECONDS * 1e9
