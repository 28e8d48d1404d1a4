"""Keep pictures to train with, DIR/CLASS/NAME.png, within limits on their number and bytes."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..class_names import DISCARDED, UNSURE
from ..errors import InputError
from ..files import atomic_path
from ..path_checks import check_folder
from ..preprocessing.file_kinds import PICTURE_SUFFIXES
from ..preprocessing.mnist import to_mnist
from ..preprocessing.png_writer import png_bytes
from .class_folders import class_folder, move, there

__all__ = ["FullError", "Inbox", "Kept", "TooLargeError"]

_OWN_NAME = re.compile(r"\d{8}-\d{6}-\d{6}-[0-9a-f]{8}\.png")
_LARGEST = 4_000_000  # bytes of a picture
_REMEMBERED = 1_000  # of the newest pictures, which can be taken back


class FullError(InputError):
    """An inbox that takes no more."""


class TooLargeError(InputError):
    """A picture that an inbox does not take."""


class Kept(NamedTuple):
    """A picture in an inbox: its class, the name of its file, and the folder that it lay in before, if in another."""

    label: str
    name: str
    moved_from: str | None = None


class _File(NamedTuple):
    path: Path
    size: int


class Inbox:
    """A folder of pictures, each in the folder of its class, those of no class yet in `UNSURE`.

    Where it is full, the first that came of those that were discarded and then of those that are unsure make room; what
    has a class, and what others have put there, is never removed. Files whose names are no pictures' do not count.

    Args:
        folder: is made if it is not there.
        labels: the classes of the model.
        most: pictures.
        most_bytes: of all of them.

    Raises:
        InputError: something else lies there.
        OSError: it cannot be made or written to.
    """

    def __init__(self, folder: Path, labels: Sequence[str], *, most: int = 2_000, most_bytes: int = 50_000_000) -> None:
        check_folder(folder)
        (folder / UNSURE).mkdir(parents=True, exist_ok=True)
        with atomic_path(folder / UNSURE / ".writable") as temporary:
            temporary.touch()
        (folder / UNSURE / ".writable").unlink(missing_ok=True)
        self.folder, self._labels = folder, labels
        self._most, self._most_bytes = most, most_bytes
        self._lock = threading.Lock()
        self._kept: dict[str, Path] = {}  # by this process, so that it can be undone

    def keep(self, pixels: NDArray[np.uint8], name: str | None = None) -> Kept:
        """Store a picture, grey (H, W), so that it will be trained on as it was read.

        One that is there already, from this process or another, is not stored twice: a training refuses a picture that
        has two classes. It moves to the class that it is given now; without one it stays where it is.

        Args:
            pixels: as `load_picture` returns them.
            name: the class, by default none yet.

        Raises:
            InputError: it is no class, or there is nothing to read in the picture; FullError, TooLargeError.
            OSError: it cannot be written.
        """
        folder = self.folder_of(name)
        to_mnist(pixels)  # a blank one would keep all others from being trained on
        data = png_bytes(pixels)
        if len(data) > _LARGEST:
            raise TooLargeError(f"the picture takes {len(data) / 1e6:.1f} MB as PNG, above {_LARGEST / 1e6:g}; crop it")
        with self._lock:
            while same := _same(files := self._files(), data, ours=True):
                if name is None:
                    return Kept(same.parent.name, same.name)
                try:
                    path = same if same.parent.name == folder else move(same, self.folder / folder)
                except FileNotFoundError:  # another program has moved it as we looked
                    continue
                if self._kept.pop(same.name, None) == same:  # else it was there before, and is not ours to remove
                    self._remember(path)
                self._leave(same.parent)
                return Kept(folder, path.name, None if path == same else same.parent.name)
            classes = {other: found for other, found in files.items() if other not in (UNSURE, DISCARDED, folder)}
            if name is not None and (other := _same(classes, data, ours=False)):
                raise InputError(
                    f"the same picture lies there as {other.parent.name}/{other.name}; remove it, or move it"
                )
            self._make_room(files, len(data))
            (self.folder / folder).mkdir(exist_ok=True)
            path = self.folder / folder / _next_name(files)
            try:
                with atomic_path(path) as temporary:
                    temporary.write_bytes(data)
            except BaseException:
                self._leave(path.parent)
                raise
            self._remember(path)
        return Kept(folder, path.name)

    def folder_of(self, name: str | None) -> str:
        """Return the name of the folder for a class, None for none yet.

        Raises:
            InputError: it is no class.
        """
        return UNSURE if name is None else class_folder(name, self._labels, there(self.folder))

    def remove(self, name: str) -> bool:
        """Remove a picture that this process stored, which nobody else has moved; return whether it did."""
        with self._lock:
            path = self._kept.pop(name, None)
            if path is None or not path.is_file():
                return False
            path.unlink()
            self._leave(path.parent)
            return True

    def state(self) -> dict[str, Any]:
        """Return the numbers of pictures and the limits as they stand in JSON."""
        files = self._files()
        classes = {name: len(found) for name, found in sorted(files.items()) if name not in (UNSURE, DISCARDED)}
        return {
            "pictures": sum(classes.values()) + len(files.get(UNSURE, ())),
            "unsure": len(files.get(UNSURE, ())),
            "classes": classes,
            "bytes": sum(file.size for found in files.values() for file in found),
            "most": {"pictures": self._most, "bytes": self._most_bytes},
        }

    def described(self) -> str:
        """Say what is in it."""
        state = self.state()
        limits = f"{self._most:,} pictures and {self._most_bytes / 1e6:g} MB at most"
        return f"inbox {self.folder}: {state['pictures']:,} pictures, {state['unsure']:,} of them unsure; {limits}"

    def _remember(self, path: Path) -> None:
        self._kept[path.name] = path
        if len(self._kept) > _REMEMBERED:
            del self._kept[next(iter(self._kept))]

    def _leave(self, folder: Path) -> None:
        """Remove the folder of a class that has no picture any more: an empty one could not be trained."""
        if folder.name != UNSURE:
            with suppress(OSError):  # it is not empty
                folder.rmdir()

    def _make_room(self, files: dict[str, list[_File]], size: int) -> None:
        """Remove the pictures that came first and may go, as far as one of this size needs it."""
        count, total = sum(map(len, files.values())), sum(file.size for found in files.values() for file in found)
        unsorted = [file for name in (DISCARDED, UNSURE) for file in sorted(files.get(name, ()))]
        going = [file for file in unsorted if _OWN_NAME.fullmatch(file.path.name)]
        free = len(going), sum(file.size for file in going)
        if count - free[0] >= self._most or total - free[1] + size > self._most_bytes:
            told = f"the inbox is full ({count:,} pictures, {total / 1e6:.1f} MB); train with them, then move them away"
            if foreign := len(unsorted) - len(going):
                told += f"; what others put into {UNSURE} and {DISCARDED} ({foreign:,}) stays: sort it, or move it away"
            raise FullError(told)
        for file in going:
            if count < self._most and total + size <= self._most_bytes:
                return
            file.path.unlink(missing_ok=True)
            count, total = count - 1, total - file.size

    def _files(self) -> dict[str, list[_File]]:
        """Return the pictures of each folder: the files whose names are pictures'."""
        found: dict[str, list[_File]] = {}
        for folder in (UNSURE, DISCARDED, *there(self.folder)):
            try:
                with os.scandir(self.folder / folder) as entries:
                    files = [entry for entry in entries if entry.is_file() and _is_picture(entry.name)]
                    found[folder] = [_File(Path(entry.path), entry.stat().st_size) for entry in files]
            except FileNotFoundError:  # no such folder, or a picture that was moved as we looked
                continue
        return found


def _same(files: dict[str, list[_File]], data: bytes, *, ours: bool) -> Path | None:
    """Return where a picture of the same bytes lies, of those that an inbox has kept, or of those that others have."""
    for found in files.values():
        for path, size in found:
            with suppress(FileNotFoundError):  # it was moved as we looked
                is_ours = _OWN_NAME.fullmatch(path.name) is not None
                if size == len(data) and is_ours == ours and path.read_bytes() == data:
                    return path
    return None


def _is_picture(name: str) -> bool:
    return not name.startswith(".") and name.lower().endswith(PICTURE_SUFFIXES)


def _next_name(files: dict[str, list[_File]]) -> str:
    """Return the name of the next picture: its time, or the next after that of the newest where the clock is behind.

    So the names are in the order in which pictures came, also where a board without a clock of its own was started.
    """
    form = "%Y%m%d-%H%M%S-%f"
    stamp = datetime.now(timezone.utc).strftime(form)  # noqa: UP017  # Python 3.10 has no datetime.UTC
    names = [file.path.name for found in files.values() for file in found if _OWN_NAME.fullmatch(file.path.name)]
    newest = max(names, default="")[: len(stamp)]
    if newest >= stamp:
        with suppress(ValueError, OverflowError):  # a name that says no time
            stamp = (datetime.strptime(newest, form) + timedelta(microseconds=1)).strftime(form)
    return f"{stamp}-{os.urandom(4).hex()}.png"
