"""Read picture files as grayscale, uint8 (H, W); find them in folders; write PNG."""

from __future__ import annotations

import io
import os
import re
import stat
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..files import atomic_path
from .grayscale import MAX_PIXELS, check_size, strips, to_grayscale

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["PICTURE_SUFFIXES", "PILLOW", "load_picture", "picture_files", "pillow", "save_picture"]

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".pgm", ".npy")
PILLOW = "Pillow>=10.3"  # as pip takes it

_MAX_SCANS = 64  # scans of a JPEG; progressive ones have about ten, and a small file with thousands takes minutes
_ENOUGH = 2_000_000  # pixels; a JPEG that has more by a factor of four is decoded at half its size
_BLOCK = 1 << 20  # bytes of a PGM read at a time
_PILLOW_FORMATS = ("PNG", "JPEG", "BMP")
_PILLOW_SIGNATURES = (b"\x89PNG", b"\xff\xd8\xff", b"BM")


def load_picture(path: str | Path | io.BytesIO, *, whole: bool = False) -> NDArray[np.uint8]:
    """Return a picture file, or its bytes, as grayscale, uint8 (H, W).

    EXIF rotation is applied, and transparency composited on white.

    Args:
        path: PNG, JPEG, BMP, PGM or .npy.
        whole: decode a large JPEG in full, not at a half, a quarter or an eighth of its size.

    Raises:
        InputError: missing, damaged, larger than 20 megapixels, or neither PNG, JPEG, BMP, PGM nor .npy.
    """
    try:
        start = _content(path, 8)
    except OSError as error:
        raise InputError(f"{error.strerror}; name a PNG, JPEG, BMP, PGM or .npy file") from None
    try:
        if start.startswith(b"\x93NUMPY"):
            return _load_npy(path)
        if start[:2] in (b"P2", b"P5"):
            if isinstance(path, io.BytesIO):
                return _load_pgm(path)
            with open(path, "rb") as file:
                return _load_pgm(file)
        if start.startswith(_PILLOW_SIGNATURES):
            return _load_with_pillow(path, whole)
    except InputError:
        raise
    except Exception as error:  # decoders have errors of many kinds; each means a damaged file
        raise InputError(f"the picture is damaged or cut short ({str(error) or type(error).__name__})") from None
    raise InputError("not a picture that can be read; expected PNG, JPEG, BMP, PGM or .npy")


def _content(path: str | Path | io.BytesIO, size: int = -1) -> bytes:
    """Return the first bytes of a file, or all."""
    if isinstance(path, io.BytesIO):
        return path.getvalue() if size < 0 else path.getvalue()[:size]
    with open(path, "rb") as file:
        return file.read(size)


def picture_files(
    folder: Path, *, recursive: bool = False, on_error: Callable[[OSError], None] | None = None
) -> Iterator[str]:
    """Yield the picture files in a folder, sorted by name; hidden files, pipes and devices are left out.

    Args:
        folder: where to look.
        recursive: also look in its folders, hidden ones excepted.
        on_error: receives the error for each folder that cannot be read.
    """
    for place, folders, names in os.walk(folder, onerror=on_error):
        folders[:] = sorted(name for name in folders if recursive and not name.startswith("."))
        for name in sorted(names):
            file = os.path.join(place, name)
            if name.lower().endswith(PICTURE_SUFFIXES) and not name.startswith(".") and _is_regular(file):
                yield file


def _is_regular(file: str) -> bool:
    """Return whether reading the file cannot block; one that has gone is an error when it is read."""
    try:
        return stat.S_ISREG(os.stat(file).st_mode)
    except OSError:
        return True


def save_picture(picture: NDArray[np.uint8], file: Path) -> None:
    """Write a picture, uint8 (H, W) or in colour (H, W, 3), as PNG.

    Raises:
        InputError: the name does not end in .png, there is no such folder, or no Pillow.
    """
    if file.suffix.lower() != ".png":
        raise InputError(f"{file}: pictures are written as PNG; let the name end in .png")
    if not file.parent.is_dir():
        raise InputError(f"{file}: there is no folder {file.parent}; make it first")
    image = pillow().fromarray(picture)
    with atomic_path(file) as temporary:
        image.save(temporary, "PNG")


def _load_npy(path: str | Path | io.BytesIO) -> NDArray[np.uint8]:
    # Memory-mapped: a header that promises gigabytes costs nothing before its shape is checked.
    return to_grayscale(np.load(path, mmap_mode="r", allow_pickle=False))


def _load_pgm(file: BinaryIO) -> NDArray[np.uint8]:
    """Read PGM, plain (P2) or raw (P5), after https://netpbm.sourceforge.net/doc/pgm.html ."""
    number = rb"(?:\s|#[^\n]*\n)+(\d{1,9})"
    header = re.match(rb"P([25])" + number * 3 + rb"(?=\s)", file.read(_BLOCK))
    if header is None:
        raise InputError("the PGM header cannot be read")
    kind, width, height, maximum = (int(group) for group in header.groups())
    check_size(width, height)
    if not 0 < maximum < 65536:
        raise InputError(f"the PGM's maximum is {maximum}, expected 1 to 65535")
    file.seek(header.end() + (kind == 5))
    if kind == 2:
        values = _plain(file, width * height)
    else:
        dtype = np.dtype(">u2" if maximum > 255 else "u1")
        values = np.frombuffer(file.read(width * height * dtype.itemsize), dtype)
    if len(values) != width * height or values.max() > maximum:
        raise InputError("the PGM is damaged or cut short")
    pixels = np.empty((height, width), np.uint8)
    values = values.reshape(height, width)
    for rows in strips(values.shape):
        pixels[rows] = np.rint(values[rows] * (255 / maximum))
    return pixels


def _plain(file: BinaryIO, count: int) -> NDArray[np.uint16]:
    """Return at most `count` numbers in decimal digits; comments go from # to the end of the line."""
    values, found, rest = np.empty(count, np.uint16), 0, b""
    while found < count and (block := file.read(_BLOCK)):
        text = rest + block
        commented = b"#" in text[text.rfind(b"\n") + 1 :]
        text = re.sub(rb"#[^\n]*", b" ", text)
        # What may continue in the next block is kept for it: a comment, of which # is enough, or else a number.
        whole = text.rstrip(b"0123456789") if len(block) == _BLOCK else text
        rest = b"#" if commented else text[len(whole) :]
        numbers = np.array(whole.split()[: count - found], np.uint32)
        if numbers.max(initial=0) > 65535 or len(rest) > 9:
            raise InputError("the PGM is damaged")
        values[found : found + len(numbers)] = numbers
        found += len(numbers)
    return values[:found]


def pillow() -> ModuleType:
    """Return Pillow's module Image.

    Raises:
        InputError: it is not installed.
    """
    try:
        from PIL import Image
    except ImportError:
        from ..host import Host

        command = Host.here().pip("install", PILLOW)
        raise InputError(f"PNG, JPEG and BMP need Pillow ({command}); PGM and .npy do without") from None
    return Image


def _load_with_pillow(path: str | Path | io.BytesIO, whole: bool) -> NDArray[np.uint8]:
    image = pillow()
    with warnings.catch_warnings():
        # Pillow has a cap of its own, higher than ours.
        warnings.simplefilter("error", image.DecompressionBombWarning)
        try:
            opened = image.open(path, formats=_PILLOW_FORMATS)
        except (image.DecompressionBombWarning, image.DecompressionBombError):
            raise InputError(f"more than {MAX_PIXELS // 10**6} megapixels; scale it down") from None
    with opened:
        width, height = opened.size
        check_size(width, height)
        if opened.format == "JPEG":
            if (scans := _content(path).count(b"\xff\xda")) > _MAX_SCANS:
                raise InputError(f"a JPEG of {scans} scans, expected {_MAX_SCANS} at most; save it again")
            # The decoder halves as it goes, for a fraction of the time and memory.
            shrink = next((by for by in (8, 4, 2) if width * height >= _ENOUGH * by * by and not whole), 1)
            opened.draft("L", (width // shrink, height // shrink))
        opened.load()
        pixels = np.empty((opened.height, opened.width), np.uint8)
        for rows in strips((*pixels.shape, 4)):
            pixels[rows] = _composited(opened.crop((0, rows.start, opened.width, rows.stop)))
        return _rotated(pixels, opened.getexif().get(0x0112, 1))


def _composited(picture: Image.Image) -> NDArray[np.uint8]:
    """Return a part of a picture as grayscale; on a transparent page, black strokes need the white background."""
    if picture.mode.startswith("I"):  # 16-bit grey, which convert("L") would clip at 255
        return to_grayscale(np.asarray(picture).astype(np.uint16))
    if picture.mode in ("LA", "PA", "RGBA") or "transparency" in picture.info:
        return to_grayscale(np.asarray(picture.convert("RGBA")))
    return np.asarray(picture.convert("L"))


def _rotated(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Return the picture upright, by the orientation of EXIF 2.3, 4.6.4: 1 to 8, anything else counts as 1."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.T
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels
