"""Sort pictures that nobody has labelled: move each from DIR/unsure into the folder of its class, or back."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ..class_names import DISCARDED, LEAST_OF_NEW, UNSURE
from ..errors import InputError
from ..files import rename_new
from .class_folders import class_folder, move, next_command, there

__all__ = ["Labelling", "locked"]


class Labelling:
    """The pictures of a folder, by number in the order of their names; nothing is done to them but to move them.

    Args:
        folder: of the class folders.
        labels: the classes of the model.

    Raises:
        InputError: there is no such folder, or nothing in it to sort.
    """

    def __init__(self, folder: Path, labels: Sequence[str]) -> None:
        if not (folder / UNSURE).is_dir():
            what = "is no folder" if folder.exists() else "there is no such folder"
            where = folder / UNSURE if folder.is_dir() else folder
            what = what if where == folder else "there is no such folder"
            raise InputError(
                f"{where}: {what}; label sorts the pictures in DIR/{UNSURE}, which serve --inbox DIR keeps"
            )
        self.folder, self._labels = folder, labels
        self._names: list[str] = []
        self._places: list[Path | None] = []  # where each was moved, None for where it was
        self._moves: list[int] = []  # numbers, the newest last
        self._lock = threading.RLock()
        self._find()
        if not self._names:
            raise InputError(f"{folder / UNSURE}: has no pictures; there is nothing to label")

    def state(self) -> dict[str, Any]:
        """Return what is sorted, and what is left, as it stands in JSON; pictures that have come are among these."""
        with self._lock:
            self._find()
            left = [
                number for number, place in enumerate(self._places) if place is None and self._path(number).exists()
            ]
            last = self._moves[-1] if self._moves else None
            new = [name for name in there(self.folder) if name not in self._labels]
            lacking = {name: LEAST_OF_NEW - _files(self.folder / name) for name in new}
            return {
                "folder": str(self.folder),
                "labels": [*self._labels],
                "classes": new,
                "lacking": {name: number for name, number in lacking.items() if number > 0},  # pictures, to be learnt
                "pictures": len(left) + len(self._moves),
                "sorted": len(self._moves),
                "left": left,
                "last": None if last is None else {"number": last, "class": self._place(last).parent.name},
                "next": next_command(self.folder),
            }

    def path(self, number: int) -> Path:
        """Return where a picture lies that is not sorted yet.

        Raises:
            InputError: there is no such picture, or no longer.
        """
        with self._lock:
            if not 0 <= number < len(self._names) or self._places[number] is not None:
                raise InputError("there is no such picture, or it is sorted already")
            if not self._path(number).is_file():
                raise InputError(f"{self._names[number]}: is no longer there; another program has moved it")
            return self._path(number)

    def move(self, number: int, name: str) -> None:
        """Move a picture into the folder of a class, or of `DISCARDED` ones.

        Raises:
            InputError: as `path`, or the name is none for a class.
            OSError: it cannot be moved.
        """
        with self._lock:
            folder = name if name == DISCARDED else class_folder(name, self._labels, there(self.folder))
            path = self.path(number)
            self._places[number] = move(path, self.folder / folder)
            self._moves.append(number)

    def undo(self) -> int:
        """Move the newest picture back, and return its number.

        Raises:
            InputError: there is none, it is no longer where it was moved, or another one has taken its place.
            OSError: it cannot be moved.
        """
        with self._lock:
            if not self._moves:
                raise InputError("there is nothing to undo")
            number = self._moves.pop()
            place, self._places[number] = self._place(number), None
            if not place.is_file():
                raise InputError(f"{place}: is no longer there; another program has moved it")
            back = self._path(number)
            try:
                rename_new(place, back)
            except FileExistsError:
                raise InputError(f"{back}: is there again; {place} stays where it is") from None
            with suppress(OSError):  # it is not empty; an empty class could not be trained
                place.parent.rmdir()
            return number

    def _find(self) -> None:
        """Add the pictures that are in the folder and have no number yet."""
        known = set(self._names)
        try:
            with os.scandir(self.folder / UNSURE) as entries:
                found = [entry.name for entry in entries if entry.is_file() and not entry.name.startswith(".")]
        except FileNotFoundError:
            found = []
        new = sorted(name for name in found if name not in known)
        self._names += new
        self._places += [None] * len(new)

    def _path(self, number: int) -> Path:
        return self.folder / UNSURE / self._names[number]

    def _place(self, number: int) -> Path:
        place = self._places[number]
        assert place
        return place


def _files(folder: Path) -> int:
    with os.scandir(folder) as entries:
        return sum(entry.is_file() and not entry.name.startswith(".") for entry in entries)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Let no other process sort the folder for the time of the block.

    Raises:
        InputError: another one does.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)  # the kernel's lock, which ends with this process and leaves no file
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"{folder}: another mnist-edge label sorts it; go on there, or end it first") from None
        except OSError:  # a file system without locks
            pass
        yield
    finally:
        os.close(descriptor)
