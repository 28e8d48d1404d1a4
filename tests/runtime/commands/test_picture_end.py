from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mnist_edge_runtime.commands.picture_end import end_of
from mnist_edge_runtime.preprocessing.file_kinds import HEAD, kind_of
from PIL import Image

PAGE = np.random.default_rng(0).integers(0, 256, (50, 37)).astype(np.uint8)


def _saved(form: str, mode: str = "L", **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture = Image.fromarray(PAGE).convert(mode)
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def _text(kind: int) -> bytes:
    """Return a picture of netpbm whose numbers are written out, as Pillow does not write them."""
    numbers = [min(int(value), 1) if kind == 1 else int(value) for value in np.repeat(PAGE, 3 if kind == 3 else 1)]
    return (
        f"P{kind} # made by hand\n37 50{'' if kind == 1 else ' 255'}\n".encode() + " ".join(map(str, numbers)).encode()
    )


MORE = [Image.fromarray(PAGE), Image.fromarray(255 - PAGE)]
PICTURES = {
    "png": _saved("PNG"),
    "png in colour": _saved("PNG", "RGBA"),
    "bmp": _saved("BMP"),
    "webp": _saved("WEBP", "RGB"),
    "webp lossless": _saved("WEBP", "RGB", lossless=True),
    "webp moving": _saved("WEBP", "RGB", save_all=True, append_images=MORE),
    "gif": _saved("GIF"),
    "gif moving": _saved("GIF", save_all=True, append_images=MORE, comment=b"x" * 600),
    "gif interlaced": _saved("GIF", "P", interlace=1),
    "tiff": _saved("TIFF"),
    "tiff packed": _saved("TIFF", "RGB", compression="tiff_lzw"),
    "tiff G4": _saved("TIFF", "1", compression="group4"),
    "tiff pages": _saved("TIFF", save_all=True, append_images=MORE),
    "tiff with tags": _saved("TIFF", tiffinfo={270: "x" * 900}),
    "pbm": _saved("PPM", "1"),
    "pgm": _saved("PPM"),
    "ppm": _saved("PPM", "RGB"),
    "pbm as text": _text(1),
    "pgm as text": _text(2),
    "ppm as text": _text(3),
    "avif": _saved("AVIF", "RGB"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_ends_where_its_bytes_end(name: str) -> None:
    data = PICTURES[name]
    kind = kind_of(data[:HEAD])

    end = end_of(data, kind)
    assert data[end:].strip(b"\0") == b""  # Pillow fills up the pages of a TIFF
    assert len(data) - end < 16
    for other in PICTURES.values():
        assert end_of(data + other, kind) == end


@pytest.mark.parametrize("name", PICTURES)
def test_a_damaged_picture_ends_anywhere_within(name: str) -> None:
    data = PICTURES[name]
    kind = kind_of(data[:HEAD])
    random = np.random.default_rng(0)

    for _ in range(200):
        damaged = bytearray(data[: random.integers(1, len(data) + 1)])
        for place in random.integers(0, len(damaged), 5):
            damaged[place] = random.integers(0, 256)
        assert 0 <= end_of(bytes(damaged), kind) <= len(damaged)


def test_an_array_ends_behind_its_values(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", PAGE)
    data = (tmp_path / "a.npy").read_bytes()

    assert end_of(data * 2, kind_of(data[:HEAD])) == len(data)


def test_a_big_tiff_ends_behind_its_strips() -> None:
    def entry(tag: int, kind: int, value: int) -> bytes:
        return b"".join(number.to_bytes(size, "little") for number, size in ((tag, 2), (kind, 2), (1, 8), (value, 8)))

    entries = [entry(256, 4, 9), entry(257, 4, 9), entry(273, 16, 16), entry(279, 16, 81)]
    folder = len(entries).to_bytes(8, "little") + b"".join(entries) + bytes(8)
    data = b"II+\0\x08\0\0\0" + (16 + 81).to_bytes(8, "little") + bytes(81) + folder

    assert end_of(data + b"rest", kind_of(data)) == len(data)
