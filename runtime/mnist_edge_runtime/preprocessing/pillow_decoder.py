"""Decode with Pillow what numpy cannot: the first frame, upright, as grayscale, within limits on size."""

from __future__ import annotations

import io
import struct
import warnings
from collections.abc import Callable
from contextlib import suppress
from types import ModuleType
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..output_capture import silence_tiff
from . import completion
from .exif_orientation import orientation_of, upright
from .file_kinds import FileKind
from .grayscale import MAX_PIXELS, MIN_CONTRAST, best_way, check_size, depth, grey, tiles, to_8_bits, to_grayscale

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["PILLOW", "decode", "pillow", "size_of"]

PILLOW = "Pillow>=10.3"  # as pip takes it

_MAX_BYTES = 256 * 1024 * 1024  # of a file; some decoders take all of it into memory
_MAX_SCANS = 64  # scans of a JPEG; progressive ones have about ten, and a small file with thousands takes minutes
_MAX_JPEG_PIXELS = 200_000_000  # of a JPEG without progressive scans, which is decoded at a fraction of its size
_STATE_THEIR_SIZE = ("WEBP", "AVIF", "HEIF")  # and are decoded as a whole or not at all
_ENOUGH = 2_000_000  # pixels; a JPEG that has more by a factor of four is decoded at half its size


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
        raise InputError(f"all pictures but PGM and .npy need Pillow ({command})") from None
    return Image


def decode(file: BinaryIO, kind: FileKind, whole: bool) -> NDArray[np.uint8]:
    """Return the first picture in a file as grayscale, uint8 (H, W).

    Args:
        file: open at its start.
        kind: of the file.
        whole: decode a large JPEG in full, or as near to that as the limit on pixels allows.

    Raises:
        InputError: too large, Pillow is not installed, or reads no such pictures. A damaged file raises any exception.
    """
    if file.seek(0, io.SEEK_END) > _MAX_BYTES:
        raise InputError(f"the file has more than {_MAX_BYTES >> 20} MiB; scale the picture down")
    file.seek(0)
    data = file.read() if kind.decoder in _STATE_THEIR_SIZE else b""
    if missing := completion.missing_bytes(data, kind):
        return _without_end(data, kind, missing)
    opened = _open(file, kind)
    width, height = opened.size
    if kind.decoder == "JPEG":
        shrink = _check_jpeg(file, opened, whole)
    else:
        shrink = 1
        check_size(width, height)

    def load(source: BinaryIO, *, mode: str = "L", fill: int | None = None) -> tuple[Image.Image, int]:
        """Decode the pixels, with `fill` as far as they go and that value elsewhere; and return their orientation."""
        again = _open(source, kind)
        if kind.decoder == "JPEG":
            again.draft(mode, (width // shrink, height // shrink))
        if fill is None:
            again.load()
            return again, orientation_of(again)
        stored = getattr(again, "_tile_size", again.size)  # of a TIFF that is to be turned, the size before that
        again.im = pillow().core.fill(again.mode, stored, (fill,) * len(again.getbands()))
        with suppress(OSError):
            again.load()
        return again._new(again.im), orientation_of(again)  # whose pixels nothing tries to load once more

    try:
        picture, orientation = load(file)
    except (OSError, SyntaxError):
        if opened.info.get("progressive"):
            file.seek(0)
            file = io.BytesIO(completion.ended_scans(file.read()))
        else:
            file = io.BytesIO(_completed(file, kind, load))
        picture, orientation = load(file) if kind.decoder == "JPEG" else load(file, fill=255)
    pixels = _to_grey(picture, lambda: load(file, mode="RGB")[0] if kind.decoder == "JPEG" else picture)
    return upright(pixels, orientation)


def _without_end(data: bytes, kind: FileKind, missing: int) -> NDArray[np.uint8]:
    """Decode a file whose decoder takes whole ones alone, with what is missing filled in two ways.

    Raises:
        InputError: more of the picture is missing than its end.
    """
    decoded: list[Any] = []
    for filling in completion.FILLINGS:
        if len(decoded) < 2:
            # Raised where a decoder finds no sense in it.
            with suppress(InputError, OSError, SyntaxError, RuntimeError, ValueError):
                picture = _open(io.BytesIO(completion.filled(data, kind, missing, filling)), kind)
                check_size(*picture.size)
                picture.load()
                decoded.append(picture)
    if len(decoded) < 2:
        raise InputError(f"the picture is cut short: it lacks its last {missing:,} bytes, and nothing of it is decoded")
    agreed = completion.agreed(*decoded)
    return upright(_to_grey(agreed, lambda: agreed), orientation_of(decoded[0]))


def size_of(file: BinaryIO, kind: FileKind) -> tuple[int, int]:
    """Return width and height of the first picture in a file, before it is turned or shrunk."""
    width, height = _open(file, kind).size
    return int(width), int(height)


def _open(file: BinaryIO, kind: FileKind) -> Any:
    image = pillow()
    file.seek(0)
    if kind.decoder == "JPEG":
        from PIL import JpegImagePlugin

        # Not `Image.open`: it limits the size before any scaling, and prepares all pictures of a phone's several.
        return JpegImagePlugin.JpegImageFile(file)
    if kind.decoder == "TIFF":
        silence_tiff(image.core.__file__)
    if kind.decoder == "HEIF":
        import pillow_heif  # type: ignore[import-not-found, unused-ignore]

        pillow_heif.register_heif_opener()
    with warnings.catch_warnings():
        # Pillow has a cap of its own, higher than ours.
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", image.DecompressionBombWarning)
        try:
            if kind.decoder == "PNG":
                from PIL import PngImagePlugin  # `Image.open` would import the decoders of four other kinds as well

                return PngImagePlugin.PngImageFile(file)
            return image.open(file, formats=(kind.decoder,))
        except (image.DecompressionBombWarning, image.DecompressionBombError):
            raise InputError(f"more than {MAX_PIXELS // 10**6} megapixels; scale it down") from None
        except (image.UnidentifiedImageError, SyntaxError, IndexError, TypeError, struct.error):
            raise OSError(f"no whole {kind.name} header") from None  # Pillow's words show how Python writes the file
        except KeyError:
            raise InputError(f"the Pillow that is installed reads no {kind.name}; save the picture as PNG") from None


def _check_jpeg(file: BinaryIO, opened: Any, whole: bool) -> int:
    """Return by how much a JPEG is shrunk as it is decoded, for a fraction of the time and memory."""
    width, height = opened.size
    file.seek(0)
    if (scans := file.read().count(b"\xff\xda")) > _MAX_SCANS:
        raise InputError(f"a JPEG of {scans} scans, expected {_MAX_SCANS} at most; save it again")
    if opened.info.get("progressive"):
        check_size(width, height)  # its decoder keeps all of it in memory, shrunk or not
    elif width * height > _MAX_JPEG_PIXELS:
        raise InputError(f"{width} x {height} pixels are more than {_MAX_JPEG_PIXELS // 10**6} megapixels")
    enough = MAX_PIXELS / 4 if whole else _ENOUGH
    shrink = next((by for by in (8, 4, 2) if width * height >= enough * by * by), 1)
    if whole and width * height <= MAX_PIXELS:
        shrink = 1
    check_size(-(-width // shrink), -(-height // shrink))
    return shrink


def _completed(file: BinaryIO, kind: FileKind, load: Callable[..., Any]) -> bytes:
    """Return the bytes of a file that lacks no more than its end, as they are decoded.

    Decoded on two grounds, the rows that differ are missing.

    Raises:
        OSError: more than a tenth of the rows are missing.
    """
    file.seek(0)
    data = file.read()
    for whole in completion.candidates(data, kind):
        probe = data + completion.SPARE if kind.decoder == "JPEG" else whole
        try:
            one, other = (np.asarray(load(io.BytesIO(probe), fill=fill)[0]) for fill in (0, 255))
            completion.check_rows(one == other)
            return whole
        except (OSError, SyntaxError) as error:
            failure = error
    raise failure


def _to_grey(picture: Any, in_colour: Callable[[], Any]) -> NDArray[np.uint8]:
    """Return a decoded picture as grayscale, in the first way that shows something."""
    pixels = np.empty((picture.height, picture.width), np.uint8)
    if picture.mode == "F":
        return to_grayscale(np.asarray(picture))
    if picture.mode.startswith("I"):  # convert("L") would clip at 255
        white = depth(int(picture.getextrema()[1]))
        for rows, columns in tiles((*pixels.shape, 4)):
            values = np.asarray(picture.crop((columns.start, rows.start, columns.stop, rows.stop)))
            pixels[rows, columns] = to_8_bits(np.clip(values, 0, 65535), white)
        return pixels
    has_alpha = picture.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in picture.info
    mode, ways = ("RGBA", 4) if has_alpha else ("RGB", 3)
    if picture.mode in ("RGBA", "LA", "PA"):
        least, most = picture.getchannel("A").getextrema()
        ways = 4 if least < most else 3
    channels = ways
    if ways == 3 and picture.mode in ("RGB", "RGBA"):
        extrema = picture.getextrema()[:3]
        # Where no channel shows anything, none is converted, which takes a second of a large picture.
        ways = 3 if max(most - least for least, most in extrema) >= MIN_CONTRAST else 1
    colours: list[Any] = []

    def convert(way: str) -> NDArray[np.uint8]:
        if way != "white" and not colours:
            colours.append(in_colour())
        source = picture if way == "white" else colours[0]
        for rows, columns in tiles((*pixels.shape, 4)):
            part = source.crop((columns.start, rows.start, columns.stop, rows.stop))
            if way == "white" and not has_alpha:
                pixels[rows, columns] = np.asarray(part.convert("L"))
            else:
                values = np.asarray(part.convert(mode))[..., :channels]
                pixels[rows, columns] = grey(values, way)
        return pixels.copy() if way != "white" else pixels

    in_grey = picture.mode in ("1", "L") and getattr(picture, "layers", 1) == 1 and not has_alpha
    found = best_way(convert, 1 if in_grey else ways)
    return convert("white") if found is pixels and colours else found
