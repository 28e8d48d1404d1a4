"""Complete picture files that lack no more than their end, and say how much of the picture is there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .file_kinds import FileKind, gif_palette

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["FILLINGS", "SPARE", "agreed", "candidates", "check_rows", "ended_scans", "filled", "missing_bytes"]

FILLINGS = (b"\0", b"\xff", b"\x55", b"\xaa")  # in place of missing bytes; decoders find no sense in some
_FEED = 4096  # bytes behind a WebP that is cut short
_MOST_MISSING = 1 << 20  # bytes that are filled in

_WHOLE_ENOUGH = 0.9  # share of the rows that a file cut short must have
SPARE = bytes(16)  # behind a file that is cut short, so that its last blocks, which are there, are decoded as well
_JPEG_END = b"\xff\xd9"
# The header of a scan, ITU-T T.81, B.2.3; its components follow, then its first and last coefficient and its bits.
_SCAN = re.compile(rb"\xff\xda\0[\x08\x0a\x0c\x0e]([\1-\4])", re.S)
_COEFFICIENTS = 64  # of a block of 8 x 8 pixels
_GIF_EXTENSION, _GIF_IMAGE, _GIF_END = 0x21, 0x2C, b"\0;"


def missing_bytes(data: bytes, kind: FileKind) -> int:
    """Return how many bytes a file lacks of those that its format says it has; 0 where the format does not say."""
    if kind.decoder == "WEBP":
        return max(0, int.from_bytes(data[4:8], "little") + 8 - len(data))
    if kind.decoder not in ("AVIF", "HEIF"):
        return 0
    place = 0
    while place + 8 <= len(data):  # boxes of ISO/IEC 14496-12, 4.2; one of size 0 goes on to the end, whatever that is
        size = int.from_bytes(data[place : place + 4], "big")
        if size == 1:
            size = int.from_bytes(data[place + 8 : place + 16], "big")
        if size < 8:
            return 0
        place += size
    return max(0, place - len(data))


def filled(data: bytes, kind: FileKind, missing: int, filling: bytes) -> bytes:
    """Return the bytes of a file with the missing ones; a WebP of one part gets more than it lacks."""
    if kind.decoder != "WEBP" or data[12:16] not in (b"VP8 ", b"VP8L"):
        return data + filling * min(missing, _MOST_MISSING)
    payload = data[20:] + filling * (_FEED + len(data) % 2)
    sizes = [len(payload) + more for more in (12, 0)]
    riff, part = (size.to_bytes(4, "little") for size in sizes)
    return b"RIFF" + riff + data[8:16] + part + payload


def agreed(one: Any, other: Any) -> Image.Image:
    """Return a picture of which two decodings are given, whose missing parts differ; these become white.

    Raises:
        OSError: more than a tenth of the rows differ.
    """
    from PIL import Image

    first, second = np.asarray(one), np.asarray(other)
    same = first == second
    check_rows(same)
    white = np.array(np.iinfo(first.dtype).max if first.dtype.kind in "ui" else 1, first.dtype)
    return Image.fromarray(np.where(same, first, white))


def check_rows(there: NDArray[np.bool_]) -> None:
    """Raise OSError where more than a tenth of the rows (H, W) or (H, W, bands) are not wholly there."""
    share = there.reshape(len(there), -1).all(axis=1).mean()
    if share < _WHOLE_ENOUGH:
        raise OSError(f"{1 - share:.0%} of its rows are missing")


def candidates(data: bytes, kind: FileKind) -> list[bytes]:
    """Return what may be the bytes of a file with its end, the likeliest first."""
    if kind.decoder == "JPEG":
        return [data + _JPEG_END]
    if kind.decoder == "GIF":
        return [_ended_gif(data)]
    # Of a TIFF the list of its tags may come last, and end with zeros.
    return [data, data + SPARE] if kind.decoder == "TIFF" else [data]


def ended_scans(data: bytes) -> bytes:
    """Return the bytes of a progressive JPEG that is cut short inside its last scan, which only refines.

    Raises:
        OSError: a scan is missing without which the first component, grey, has coefficients that are coarse.
    """
    fine = set[int]()
    grey_component = -1
    for scan in _SCAN.finditer(data):
        count, at = scan[1][0], scan.end()
        if len(data) < at + 2 * count + 3:
            break
        components, (first, last, bits) = data[at : at + 2 * count : 2], data[at + 2 * count : at + 2 * count + 3]
        grey_component = components[0] if grey_component < 0 else grey_component
        if grey_component in components and bits & 15 == 0:
            fine.update(range(first, last + 1))
    if len(fine) < _COEFFICIENTS:
        raise OSError("some of its scans are missing")
    return data + _JPEG_END


def _ended_gif(data: bytes) -> bytes:
    """Return a GIF whose first image ends with what is there of its last block (GIF 89a, 15 to 23)."""
    place = 13 + gif_palette(data[10])
    while place < len(data) and data[place] in (_GIF_EXTENSION, _GIF_IMAGE):
        is_image = data[place] == _GIF_IMAGE
        # An image: its descriptor, a palette of its own, the size of its codes. An extension: its kind.
        place += 11 + gif_palette(data[place + 9]) if is_image else 2
        while place < len(data) and data[place]:
            if place + 1 + data[place] > len(data):
                there = len(data) - place - 1
                return data[:place] + (bytes([there]) + data[place + 1 :] if there else b"") + _GIF_END
            place += 1 + data[place]
        if is_image:
            return data[:place] + _GIF_END
        place += 1
    return data
