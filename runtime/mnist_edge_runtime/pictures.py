"""Picture files and arrays -> grey, uint8 (H, W)."""

from __future__ import annotations

import io
import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import InputError

__all__ = ["MAX_PIXELS", "grey", "load_picture"]

MAX_PIXELS = 20_000_000
_PILLOW_FORMATS = ("PNG", "JPEG", "BMP")
_PILLOW_SIGNATURES = (b"\x89PNG", b"\xff\xd8\xff", b"BM")


def load_picture(path: str | Path | io.BytesIO) -> NDArray[np.uint8]:
    """Return the picture file, or its bytes, as grey, uint8 (H, W): EXIF rotation applied, transparency laid on white.

    Raises:
        InputError: missing, damaged, larger than 20 megapixels, or neither PNG, JPEG, BMP, PGM nor .npy.
    """
    try:
        start = path.getvalue()[:8] if isinstance(path, io.BytesIO) else _start(path)
    except OSError as error:
        raise InputError(f"{error.strerror}; name a PNG, JPEG, BMP, PGM or .npy file") from None
    try:
        if start.startswith(b"\x93NUMPY"):
            return _load_npy(path)
        if start[:2] in (b"P2", b"P5"):
            return _load_pgm(path)
        if start.startswith(_PILLOW_SIGNATURES):
            return _load_with_pillow(path)
    except InputError:
        raise
    except Exception as error:  # decoders have errors of many kinds; each means a damaged file
        raise InputError(f"the picture is damaged or cut short ({str(error) or type(error).__name__})") from None
    raise InputError("not a picture that can be read; expected PNG, JPEG, BMP, PGM or .npy")


def _start(path: str | Path) -> bytes:
    with open(path, "rb") as file:
        return file.read(8)


def grey(array: NDArray[Any]) -> NDArray[np.uint8]:
    """Return an array (H, W) as uint8: bool, uint8, uint16, or floats in 0..1 or 0..255.

    Raises:
        InputError: another dtype, shape or range; NaN or infinity.
    """
    if array.ndim != 2:
        raise InputError(f"the array has shape {array.shape}, expected (height, width)")
    _check_size(array.shape[1], array.shape[0])
    if array.dtype == np.uint8:
        return np.asarray(array, np.uint8)
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype.kind == "u" and array.dtype.itemsize == 2:  # in either byte order
        return np.rint(array / 257).astype(np.uint8)
    if array.dtype.kind != "f":
        raise InputError(f"the array is {array.dtype}, expected uint8, uint16, bool or float")
    if not np.isfinite(array).all() or array.min() < 0 or array.max() > 255:
        raise InputError("the array of floats has values outside 0..255, NaN or infinity")
    return np.rint(array * (255 if array.max() <= 1 else 1)).astype(np.uint8)


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise InputError(f"{width} x {height} pixels are more than {MAX_PIXELS // 10**6} megapixels; scale it down")
    if width * height == 0:
        raise InputError("the picture has no pixels")


def _load_npy(path: str | Path | io.BytesIO) -> NDArray[np.uint8]:
    # Mapped, so that a header which promises gigabytes costs nothing before its shape is checked.
    return grey(np.load(path, mmap_mode="r", allow_pickle=False))


def _load_pgm(path: str | Path | io.BytesIO) -> NDArray[np.uint8]:
    """Read PGM, plain (P2) or raw (P5), after https://netpbm.sourceforge.net/doc/pgm.html ."""
    data = path.getvalue() if isinstance(path, io.BytesIO) else Path(path).read_bytes()
    number = rb"(?:\s|#[^\n]*\n)+(\d{1,9})"
    header = re.match(rb"P([25])" + number * 3 + rb"(?=\s)", data)
    if header is None:
        raise InputError("the PGM header cannot be read")
    kind, width, height, maximum = (int(group) for group in header.groups())
    _check_size(width, height)
    if not 0 < maximum < 65536:
        raise InputError(f"the PGM's maximum is {maximum}, expected 1 to 65535")
    rest, count = data[header.end() :], width * height
    if kind == 2:
        values = np.array(re.sub(rb"#[^\n]*", b"", rest).split()[:count], np.uint32)
    else:
        values = np.frombuffer(rest, ">u2" if maximum > 255 else "u1", count, offset=1)
    if len(values) != count or values.max() > maximum:
        raise InputError("the PGM is damaged or cut short")
    return np.rint(values.reshape(height, width) * (255 / maximum)).astype(np.uint8)


def _load_with_pillow(path: str | Path | io.BytesIO) -> NDArray[np.uint8]:
    try:
        from PIL import Image, ImageOps
    except ImportError:
        raise InputError(
            "PNG, JPEG and BMP need Pillow: pip install 'mnist-edge-runtime[image]' (PGM and .npy do without)"
        ) from None
    with warnings.catch_warnings():
        # Pillow has a cap of its own, higher than ours.
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        try:
            opened = Image.open(path, formats=_PILLOW_FORMATS)
        except (Image.DecompressionBombWarning, Image.DecompressionBombError):
            raise InputError(f"more than {MAX_PIXELS // 10**6} megapixels; scale it down") from None
    with opened:
        _check_size(*opened.size)
        picture = ImageOps.exif_transpose(opened)
    if picture.mode.startswith("I"):  # 16-bit grey, which convert("L") would clip at 255
        return grey(np.asarray(picture).astype(np.uint16))
    if picture.mode in ("LA", "PA", "RGBA") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        # Pen strokes on a transparent page: without paper below them, black on nothing turns all black.
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return np.asarray(picture.convert("L"))
