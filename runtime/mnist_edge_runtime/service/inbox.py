"""Keep pictures to train with, DIR/CLASS/NAME.png, within limits on their number and bytes."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..files import atomic_path
from ..path_checks import check_folder
from ..preprocessing.mnist import to_mnist
from ..preprocessing.png_writer import png_bytes
from .class_folders import DISCARDED, UNSURE, class_folder, there

__all__ = ["FullError", "Inbox", "TooLargeError"]

_OWN_NAME = re.compile(r"\d{8}-\d{6}-\d{6}-[0-9a-f]{8}\.png")
_LARGEST = 4_000_000  # bytes of a picture
_REMEMBERED = 1_000  # of the newest pictures, which can be taken back


class FullError(InputError):
    """An inbox that takes no more."""


class TooLargeError(InputError):
    """A picture that an inbox does not take."""


class _File(NamedTuple):
    path: Path
    size: int


class Inbox:
    """A folder of pictures, each in the folder of its class, those of no class yet in `UNSURE`.

    Where it is full, the oldest of those that were discarded and then of those that are unsure make room; what has a
    class, and what others have put there, is never removed.

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

    def keep(self, pixels: NDArray[np.uint8], name: str | None = None) -> tuple[str, str]:
        """Store a picture, grey (H, W), so that it will be trained on as it was read; return its class and file name.

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
            self._make_room(len(data))
            (self.folder / folder).mkdir(exist_ok=True)
            path = self._free(folder)
            with atomic_path(path) as temporary:
                temporary.write_bytes(data)
            self._kept[path.name] = path
            if len(self._kept) > _REMEMBERED:
                del self._kept[next(iter(self._kept))]
        return folder, path.name

    def folder_of(self, name: str | None) -> str:
        """Return the name of the folder for a class, None for none yet.

        Raises:
            InputError: it is no class.
        """
        return UNSURE if name is None else class_folder(name, self._labels, there(self.folder))

    def remove(self, name: str) -> bool:
        """Remove a picture that this process kept, which is still where it was; return whether it did."""
        with self._lock:
            path = self._kept.pop(name, None)
            if path is None or not path.is_file():
                return False
            path.unlink()
            if path.parent.name != UNSURE:
                with suppress(OSError):  # it is not empty; an empty class could not be trained
                    path.parent.rmdir()
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

    def _make_room(self, size: int) -> None:
        """Remove the oldest pictures that may go, as far as one of this size needs it."""
        files = self._files()
        count, total = sum(map(len, files.values())), sum(file.size for found in files.values() for file in found)
        going = [
            file
            for name in (DISCARDED, UNSURE)
            for file in sorted(files.get(name, ()))
            if _OWN_NAME.fullmatch(file.path.name)
        ]
        free = len(going), sum(file.size for file in going)
        if count - free[0] >= self._most or total - free[1] + size > self._most_bytes:
            raise FullError(
                f"the inbox is full ({count:,} pictures, {total / 1e6:.1f} MB); train with them, then move them away"
            )
        for file in going:
            if count < self._most and total + size <= self._most_bytes:
                return
            file.path.unlink(missing_ok=True)
            count, total = count - 1, total - file.size

    def _files(self) -> dict[str, list[_File]]:
        found: dict[str, list[_File]] = {}
        for folder in (UNSURE, DISCARDED, *there(self.folder)):
            try:
                with os.scandir(self.folder / folder) as entries:
                    files = [entry for entry in entries if entry.is_file() and not entry.name.startswith(".")]
                    found[folder] = [_File(Path(entry.path), entry.stat().st_size) for entry in files]
            except FileNotFoundError:  # no such folder, or a picture that was moved as we looked
                continue
        return found

    def _free(self, folder: str) -> Path:
        while True:
            now = datetime.now(timezone.utc)  # noqa: UP017  # Python 3.10 has no datetime.UTC
            path = self.folder / folder / f"{now:%Y%m%d-%H%M%S-%f}-{os.urandom(4).hex()}.png"
            if not path.exists():
                return path
