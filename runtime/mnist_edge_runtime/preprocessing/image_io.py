"""Read picture files as grayscale, uint8 (H, W); find them in folders; write PNG."""

from __future__ import annotations

import io
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..files import atomic_path
from ..image_arrays import as_picture
from .file_kinds import HEAD, NAMES, PICTURE_SUFFIXES, FileKind, kind_of
from .grayscale import MAX_PIXELS, to_grayscale
from .npy import load_npy
from .pgm import load_pgm
from .pillow_decoder import decode, pillow, size_of
from .regular_files import kind_of_file, open_regular

__all__ = ["check_target", "load_picture", "picture_files", "pixels_of", "save_picture", "shrunk_by"]


def load_picture(path: str | Path | io.BytesIO, *, whole: bool = False) -> NDArray[np.uint8]:
    """Return a picture file, or its bytes, as grayscale, uint8 (H, W).

    Its first frame, as EXIF turns it. Transparency is composited on white, or on black where the ink is white. A file
    that lacks no more than its end is read.

    Args:
        path: PNG, JPEG, BMP, WebP, TIFF, GIF, AVIF, PGM, PPM, PBM or .npy; HEIC where pillow-heif is installed.
        whole: decode a large JPEG in full, not at a half, a quarter or an eighth of its size.

    Raises:
        InputError: missing, damaged, larger than 20 megapixels (200 as a JPEG), or of another kind, which is named.
    """
    if isinstance(path, io.BytesIO):
        return _load(path, whole)
    try:
        file = open_regular(path)
    except OSError as error:
        raise InputError(f"{error.strerror}; name a {NAMES} file") from None
    except ValueError:
        raise InputError(f"no name of a file; name a {NAMES} file") from None
    with file:
        return _load(file, whole)


def shrunk_by(path: str | Path | io.BytesIO, picture: NDArray[np.uint8]) -> int:
    """Return by how much a file's picture was shrunk as it was decoded: by 2, 4 or 8 as a large JPEG is, else by 1."""
    with nullcontext(path) if isinstance(path, io.BytesIO) else open_regular(path) as file:
        file.seek(0)
        kind = kind_of(file.read(HEAD))
        if kind.decoder != "JPEG":
            return 1
        sides = size_of(file, kind)
    return max(1, round(max(sides) / max(picture.shape)))


def pixels_of(data: io.BytesIO) -> int:
    """Return how many pixels the bytes of a picture file are decoded to, as far as its head tells, else 0."""
    kind = kind_of(data.getbuffer()[:HEAD].tobytes())
    try:
        width, height = size_of(data, kind) if kind.decoder not in ("", "NPY") and kind.name != "PGM" else (0, 0)
    except Exception:  # what is wrong with it is told when it is decoded
        return 0
    return width * height


def _load(file: BinaryIO, whole: bool) -> NDArray[np.uint8]:
    try:
        file.seek(0)
        kind = kind_of(file.read(HEAD))
        file.seek(0)
        if not kind.is_picture:
            raise InputError(_refusal(kind))
        if kind.decoder == "NPY":
            return _load_npy(file)
        return load_pgm(file) if kind.name == "PGM" else decode(file, kind, whole)
    except (InputError, MemoryError):
        raise
    except Exception as error:  # decoders have errors of many kinds; each means a damaged file
        raise InputError(f"the picture is damaged or cut short ({str(error) or type(error).__name__})") from None


def _refusal(kind: FileKind) -> str:
    advice = f"; {kind.advice}" if kind.advice else f"; expected {NAMES}"
    return f"not a picture that can be read: its content is {kind.name}{advice}"


def picture_files(
    folder: Path,
    *,
    recursive: bool = False,
    on_error: Callable[[OSError], None] | None = None,
    left_out: Counter[str] | None = None,
) -> Iterator[str]:
    """Yield the picture files in a folder, sorted by name: what holds a picture, and what is named like one.

    Hidden files are left out; whatever else is left out is counted.

    Args:
        folder: where to look.
        recursive: also look in its folders, hidden ones excepted.
        on_error: receives the error for each folder that cannot be read.
        left_out: counts what is no picture, by the name of its kind.
    """
    for place, folders, names in os.walk(folder, onerror=on_error):
        folders[:] = sorted(name for name in folders if recursive and not name.startswith("."))
        for name in sorted(names):
            file = os.path.join(place, name)
            if name.startswith("."):
                continue
            kind = None if name.lower().endswith(PICTURE_SUFFIXES) else _kind(file)
            if kind is None or kind.is_picture:
                yield file
            elif left_out is not None:
                left_out[kind.name] += 1


def _kind(file: str) -> FileKind:
    try:
        return kind_of_file(file)
    except OSError:
        return FileKind("unreadable")


def save_picture(picture: NDArray[np.uint8], file: Path) -> None:
    """Write a picture, uint8 (H, W) or in colour (H, W, 3), as PNG.

    Raises:
        InputError: as `check_target`.
    """
    check_target(file)
    image = pillow().fromarray(picture)
    with atomic_path(file) as temporary:
        image.save(temporary, "PNG")


def check_target(file: Path, *inputs: str) -> None:
    """Check that a picture can be written as `file`, which none of the pictures that are read may be.

    Raises:
        InputError: the name does not end in .png, there is no such folder, no Pillow, or it is one of `inputs`.
    """
    if file.suffix.lower() != ".png":
        raise InputError(f"{file}: pictures are written as PNG; let the name end in .png")
    if not file.parent.is_dir():
        raise InputError(f"{file}: there is no folder {file.parent}; make it first")
    for name in inputs:
        with suppress(OSError, ValueError):  # no such file: its reader says so
            if os.path.samefile(name, file):
                raise InputError(f"{file}: would be written over, and is a picture to be read; name another file")
    pillow()


def _load_npy(file: BinaryIO) -> NDArray[np.uint8]:
    array = load_npy(file)
    if array.size > 4 * MAX_PIXELS:  # before its values are looked at
        raise InputError(f"the array {array.shape} is larger than {MAX_PIXELS // 10**6} megapixels; scale it down")
    return to_grayscale(as_picture(array))
