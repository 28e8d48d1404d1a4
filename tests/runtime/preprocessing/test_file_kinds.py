from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import numpy as np
import pytest
from mnist_edge_runtime.preprocessing import file_kinds
from mnist_edge_runtime.preprocessing.file_kinds import HEAD, gif_palette, kind_of
from PIL import Image

DIGIT = Image.fromarray(np.full((30, 20), 200, np.uint8))


def _saved(kind: str) -> Callable[[], bytes]:
    def saved() -> bytes:
        buffer = io.BytesIO()
        DIGIT.save(buffer, kind)
        return buffer.getvalue()

    return saved


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.png", b"")
    return buffer.getvalue()


def _ftyp(*brands: bytes) -> bytes:
    return (16 + 4 * len(brands[1:])).to_bytes(4, "big") + b"ftyp" + brands[0] + bytes(4) + b"".join(brands[1:])


PICTURES: dict[str, Callable[[], bytes]] = {
    **{kind: _saved(kind) for kind in ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WebP", "AVIF")},
    "PGM": _saved("PPM"),
    "PPM": lambda: b"P6 1 1 255\n\0\0\0",
    "PBM": lambda: b"P4\n# a comment\n8 1\n\0",
}
OTHERS: dict[str, tuple[bytes, ...]] = {
    "empty": (b"",),
    "HEIC": (_ftyp(b"heic", b"mif1", b"heic"), _ftyp(b"mif1", b"heic")),
    "camera raw picture": (_ftyp(b"crx ", b"isom"), b"II*\0\x10\0\0\0CR\x02\0"),
    "MP4 video": (_ftyp(b"isom", b"avc1"), _ftyp(b"mp42")),
    "QuickTime video": (_ftyp(b"qt  "),),
    "PDF": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",),
    "ZIP": (_zip(),),
    "SVG": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"<?xml version='1.0'?>\n<!-- drawn -->\n<svg/>"),
    "HTML page": (b"\n<!DOCTYPE html>\n<html>", b"<html lang='de'>", b"\xef\xbb\xbf<!doctype html>"),
    "XML": (b"<?xml version='1.0'?><list/>",),
    "JSON": (b'{"label": 3}', b"[1, 2]"),
    "text": (
        b"an essay about threes\n",
        "drei \u00e4h".encode(),
        b"BM, he said",
        b"P2 is where we parked",
        b"\xff\xfea\0",
    ),
    "git-lfs pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n",),
    "unknown": (bytes(600), b"\x01\x02\x03", b"\xff\xff\xff\xff"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_known_by_its_first_bytes(name: str) -> None:
    kind = kind_of(PICTURES[name]()[:HEAD])

    assert (kind.name, kind.is_picture) == (name, True)


@pytest.mark.parametrize(("name", "start"), [(name, start) for name, starts in OTHERS.items() for start in starts])
def test_what_is_no_picture_has_a_name(name: str, start: bytes) -> None:
    kind = kind_of(start[:HEAD])

    assert (kind.name, kind.is_picture) == (name, False)


def test_avif_names_itself_beside_the_brand_that_it_shares_with_heic() -> None:
    assert kind_of(_ftyp(b"mif1", b"miaf", b"avif")).name == "AVIF"


def test_heic_is_a_picture_where_its_decoder_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = kind_of(_ftyp(b"heic"))
    assert not kind.is_picture
    assert "pillow-heif" in kind.advice

    monkeypatch.setattr(file_kinds, "find_spec", lambda name: name == "pillow_heif" or None)
    assert kind.is_picture


@pytest.mark.parametrize("cut", range(HEAD - 3, HEAD + 1))
def test_text_may_be_cut_inside_a_character(cut: int) -> None:
    start = b"a" * cut + "\U0001f600".encode() * 2

    assert kind_of(start[:HEAD]).name == "text"
    assert kind_of(b"\xf0\x9f" + start[:HEAD]).name == "unknown"


@pytest.mark.parametrize("length", [0, 1, 2, 3, 7, 11, 12, 15, 16])
def test_any_start_however_short_has_a_kind(length: int) -> None:
    for start in [make() for make in PICTURES.values()] + [start for starts in OTHERS.values() for start in starts]:
        assert kind_of(start[:length]).name


@pytest.mark.parametrize("colours", [2, 16, 256])
def test_the_palette_of_a_gif_is_as_long_as_its_flags_say(colours: int) -> None:
    picture = Image.new("P", (3, 3))
    picture.putpalette(bytes(range(256))[:colours] * 3)
    picture.putdata([index % colours for index in range(9)])
    picture.putpixel((0, 0), colours - 1)
    file = io.BytesIO()
    picture.save(file, "GIF", optimize=False)
    data = file.getvalue()

    place = 13 + gif_palette(data[10])
    assert data[place] in (0x21, 0x2C)  # an extension or an image begins there
    assert gif_palette(data[10] & 0x7F) == 0
