"""Find where a picture ends by its format, so that what follows it on stdin is not taken for a part of it."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from typing import Literal

from ..preprocessing import npy
from ..preprocessing.file_kinds import FileKind, gif_palette

__all__ = ["end_of"]

_PNG_END = b"IEND\xaeB\x60\x82"
_SPACE = rb"(?:\s|#[^\n]*\n)+"
_NETPBM = re.compile(rb"P([1-6])" + _SPACE + rb"(\d{1,9})" + _SPACE + rb"(\d{1,9})")
_NETPBM_MOST = re.compile(_SPACE + rb"(\d{1,5})")  # the greatest value, which bitmaps do not have
_NETPBM_TEXT = re.compile(rb"(?:[\d\s]+|#[^\n]*)*")
# Bytes of a value of each type, TIFF 6.0, section 2, and of BigTIFF.
_TIFF_SIZES = {3: 2, 4: 4, 5: 8, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_TIFF_DATA = ((273, 279), (324, 325), (513, 514))  # offsets and lengths of strips, of tiles, of an old JPEG
_TIFF_FOLDERS = (330, 34665, 34853)  # offsets of more directories
_ISO_BOXES = {b"meta", b"mdat", b"moov", b"moof", b"mfra", b"free", b"skip", b"wide", b"uuid", b"idat", b"sidx"}
_TIFF_MOST = 100_000  # of directories, and of values of one of these tags


def end_of(data: bytes, kind: FileKind) -> int:
    """Return the length of the picture at the start of `data`, as far as its format tells: at most all of `data`."""
    try:
        end = _ENDS[kind.decoder](data) if kind.decoder in _ENDS else len(data)
    except (IndexError, ValueError):  # damaged: its decoder says more
        end = len(data)
    return min(end, len(data)) if end > 0 else len(data)


def _png(data: bytes) -> int:
    end = data.find(_PNG_END)
    return len(data) if end < 0 else end + len(_PNG_END)


def _bmp(data: bytes) -> int:
    return int.from_bytes(data[2:6], "little") or len(data)


def _webp(data: bytes) -> int:
    size = int.from_bytes(data[4:8], "little")
    return 8 + size + size % 2


def _gif(data: bytes) -> int:
    """Walk through the blocks, GIF89a, appendix A."""
    place = 13 + gif_palette(data[10])
    while data[place] != 0x3B:
        if data[place] == 0x2C:
            place += 10 + gif_palette(data[place + 9]) + 1
        elif data[place] == 0x21:
            place += 2
        else:
            raise ValueError("no block of a GIF")
        while data[place]:
            place += 1 + data[place]
        place += 1
    return place + 1


def _netpbm(data: bytes) -> int:
    if not (header := _NETPBM.match(data)):
        raise ValueError("no header")
    form, width, height = map(int, header.groups())
    end, most = header.end(), 1
    if form not in (1, 4):
        if not (found := _NETPBM_MOST.match(data, end)):
            raise ValueError("no greatest value")
        end, most = found.end(), int(found[1])
    if form <= 3:
        text = _NETPBM_TEXT.match(data, end)
        return text.end() if text else end
    row = -(-width // 8) if form == 4 else width * (3 if form == 6 else 1) * (2 if most > 255 else 1)
    return end + 1 + row * height


def _iso(data: bytes) -> int:
    """Walk through the boxes, ISO/IEC 14496-12, 4.2, to what is none or begins a file."""
    place = 0
    while not place or data[place + 4 : place + 8] in _ISO_BOXES:
        size = int.from_bytes(data[place : place + 4], "big")
        if size == 1:
            size = int.from_bytes(data[place + 8 : place + 16], "big")
        if size < 8:  # 0: the rest of the file
            return len(data)
        place += size
    return place


def _tiff(data: bytes) -> int:
    """Return the end of what the directories name, TIFF 6.0, section 2, also of BigTIFF."""
    order: Literal["little", "big"] = "little" if data.startswith(b"II") else "big"
    is_big = 43 in data[2:4]
    word, head, entry = (8, 8, 20) if is_big else (4, 2, 12)

    def number(place: int, size: int) -> int:
        return int.from_bytes(data[place : place + size], order)

    end, seen, waiting = 0, {0}, [number(8 if is_big else 4, word)]
    while waiting and len(seen) < _TIFF_MOST:
        folder = waiting.pop()
        if folder in seen or folder >= len(data):
            continue
        seen.add(folder)
        first = folder + head
        last = first + number(folder, head) * entry
        end = max(end, last + word)
        waiting.append(number(last, word))
        found: dict[int, list[int]] = {}
        for at in range(first, min(last, len(data)), entry):
            tag, size, count = number(at, 2), _TIFF_SIZES.get(number(at + 2, 2), 1), number(at + 4, word)
            place = at + 4 + word
            if size * count > word:
                place = number(place, word)
                end = max(end, place + size * count)
            if tag in _TIFF_FOLDERS or any(tag in pair for pair in _TIFF_DATA):
                found[tag] = [number(place + size * index, size) for index in range(min(count, _TIFF_MOST))]
        for offsets, lengths in _TIFF_DATA:
            pairs = zip(found.get(offsets, ()), found.get(lengths, ()), strict=False)
            end = max(end, *(offset + length for offset, length in pairs), 0)
        waiting += [folder for tag in _TIFF_FOLDERS for folder in found.get(tag, ())]
    return end


def _npy(data: bytes) -> int:
    return npy.read_header(io.BytesIO(data)).end


_ENDS: Mapping[str, Callable[[bytes], int]] = {
    "PNG": _png,
    "BMP": _bmp,
    "WEBP": _webp,
    "GIF": _gif,
    "PPM": _netpbm,
    "AVIF": _iso,
    "HEIF": _iso,
    "TIFF": _tiff,
    "NPY": _npy,
}
