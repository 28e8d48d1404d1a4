"""Open the pictures that `classify` is given: files, folders or stdin."""

from __future__ import annotations

import io
import os
import sys
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..command_line import print_error, tell
from ..errors import InputError, MnistEdgeError, UsageError, describe
from ..preprocessing import mnist
from ..preprocessing.file_kinds import NAMES, counted
from ..preprocessing.image_io import load_picture, picture_files

if TYPE_CHECKING:
    from .stdin_images import Id

__all__ = ["Notice", "Picture", "fault", "open_all"]


@dataclass(frozen=True)
class Picture:
    """One picture: its name in the output, the function that decodes it to grey, uint8 (H, W), its sender's id."""

    name: str
    load: Callable[[], NDArray[np.uint8]]
    id: Id = None

    @classmethod
    def of_file(cls, name: str, *, whole: bool = False) -> Picture:
        return cls(name, partial(load_picture, name, whole=whole))

    def to_mnist(self, preprocess: str) -> NDArray[np.uint8]:
        """Decode the picture and bring it to MNIST's form, as `mnist.to_mnist` does.

        Raises:
            InputError: it cannot be read; the message begins with its name.
        """
        try:
            return mnist.to_mnist(self.load(), preprocess)
        except InputError as error:
            raise error.at(self.name) from None


@dataclass(frozen=True)
class Notice:
    """What is to be said between the answers, on stderr: the function that says it, and the message."""

    show: Callable[[str], None]
    name: str


def fault(name: str, error: Exception) -> MnistEdgeError:
    """Return the error of the picture `name` for whatever else went wrong while it was read and classified."""
    if isinstance(error, MemoryError):
        return InputError(f"{name}: there is not enough memory for this picture; scale it down")
    message, code = describe(error)
    if code == MnistEdgeError.exit_code:
        return InputError(f"{name}: cannot be read, by a fault of this program: {message}")
    return type(error)(f"{name}: {message}") if isinstance(error, MnistEdgeError) else InputError(f"{name}: {message}")


def open_all(names: Sequence[str], *, recursive: bool, whole: bool = False) -> Iterator[Picture | Notice]:
    """Return the pictures that `names` stand for, opened one by one as they are asked for.

    Args:
        names: files, folders, or "-" for stdin.
        recursive: also look into the folders inside folders.
        whole: decode files at their full size.

    Raises:
        UsageError: options that do not apply to what is named.
    """
    if recursive and not any(name != "-" and os.path.isdir(name) for name in names):
        raise UsageError("--recursive is for folders, and none is named")
    if names.count("-") > 1:
        raise UsageError("stdin (-) can be read once only")
    return _open(names, recursive, partial(Picture.of_file, whole=whole))


def _open(names: Sequence[str], recursive: bool, of_file: Callable[[str], Picture]) -> Iterator[Picture | Notice]:
    for name in names:
        if name == "-":
            if sys.stdin is None:
                raise InputError("stdin is closed; send pictures to it, or name files")
            from . import stdin_images  # files do not wait for its import

            stream = sys.stdin.buffer
            assert isinstance(stream, io.BufferedIOBase)
            yield from (Picture(*found) for found in stdin_images.pictures(stream))
        elif os.path.isdir(name):
            empty, left_out, errors = True, Counter[str](), deque[OSError]()
            for file in picture_files(Path(name), recursive=recursive, on_error=errors.append, left_out=left_out):
                empty = False
                yield from _reports(errors)
                yield of_file(file)
            yield from _reports(errors)
            if left_out:
                yield Notice(tell, f"{name}: left out, no pictures: {counted(left_out)}")
            if empty:
                yield Picture(name, partial(_refuse_empty, recursive))
        else:
            yield of_file(name)


def _refuse_empty(recursive: bool) -> NDArray[np.uint8]:
    hint = "" if recursive else "; --recursive looks into its folders, too"
    raise InputError(f"a folder without pictures ({NAMES}){hint}")


def _reports(errors: deque[OSError]) -> Iterator[Notice]:
    while errors:
        error = errors.popleft()
        yield Notice(print_error, f"{error.filename}: {error.strerror}")
