from __future__ import annotations

import pickle
import struct
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mnist_edge_runtime import InputError
from mnist_edge_runtime.pictures import MAX_PIXELS, grey, load_picture
from mnist_edge_trainer.drawings import draw
from numpy.typing import NDArray
from PIL import Image

Picture = NDArray[np.uint8]

DRAWN = draw("3", size=80)[:, 10:66]  # higher than wide, so that exchanged sides are seen
STROKES = DRAWN < 128
INK_ON_PAPER = np.where(STROKES, 0, 255).astype(np.uint8)


def _on_nothing(mode: str) -> Image.Image:
    """Return black strokes on a transparent page."""
    alpha = Image.fromarray(255 - DRAWN)
    black = Image.new(mode.removesuffix("A"), alpha.size)
    black.putalpha(alpha)
    return black


def _palette(*, transparent: bool) -> Image.Image:
    """Return black strokes on a page that is white, or black and transparent, in a palette of two colours."""
    picture = Image.frombytes("P", (STROKES.shape[1], STROKES.shape[0]), STROKES.tobytes())
    picture.putpalette([0, 0, 0, 0, 0, 0] if transparent else [255, 255, 255, 0, 0, 0])
    if transparent:
        picture.info["transparency"] = 0
    return picture


def _colour_key() -> Image.Image:
    """Return black strokes on a page of one dark colour that counts as transparent."""
    pixels = np.where(STROKES[..., np.newaxis], 0, np.array([1, 2, 3])).astype(np.uint8)
    picture = Image.fromarray(pixels)
    picture.info["transparency"] = (1, 2, 3)
    return picture


PNGS: dict[str, tuple[Callable[[], Image.Image], Picture]] = {
    "L": (lambda: Image.fromarray(DRAWN), DRAWN),
    "RGB": (lambda: Image.fromarray(DRAWN).convert("RGB"), DRAWN),
    "RGBA": (lambda: Image.fromarray(DRAWN).convert("RGBA"), DRAWN),
    "LA": (lambda: Image.fromarray(DRAWN).convert("LA"), DRAWN),
    "P": (lambda: Image.fromarray(DRAWN).convert("P"), DRAWN),
    "1": (lambda: Image.fromarray(~STROKES), INK_ON_PAPER),
    "16 bits": (lambda: Image.fromarray(DRAWN.astype(np.uint16) * 257), DRAWN),
    "RGBA, strokes on nothing": (lambda: _on_nothing("RGBA"), DRAWN),
    "LA, strokes on nothing": (lambda: _on_nothing("LA"), DRAWN),
    "P, two colours": (lambda: _palette(transparent=False), INK_ON_PAPER),
    "P, strokes on nothing": (lambda: _palette(transparent=True), INK_ON_PAPER),
    "RGB, strokes on nothing": (_colour_key, INK_ON_PAPER),
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "picture"


def _png(width: int, height: int) -> bytes:
    """Return a PNG whose header promises so many black pixels and whose data holds none."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def _npy_header(shape: tuple[int, ...]) -> bytes:
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode()


@pytest.mark.parametrize("kind", PNGS)
def test_every_kind_of_png_comes_out_grey(file: Path, kind: str) -> None:
    make, expected = PNGS[kind]
    picture = make()
    picture.save(file, "PNG", transparency=picture.info.get("transparency"))

    found = load_picture(file)

    assert found.dtype == np.uint8
    np.testing.assert_allclose(found.astype(int), expected, atol=1)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_bmp(file: Path, mode: str) -> None:
    Image.fromarray(INK_ON_PAPER).convert(mode).save(file, "BMP")

    np.testing.assert_array_equal(load_picture(file), INK_ON_PAPER)


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_jpeg(file: Path, mode: str) -> None:
    Image.fromarray(DRAWN).convert(mode).save(file, "JPEG", quality=95)

    assert np.abs(load_picture(file).astype(int) - DRAWN).mean() < 3


@pytest.mark.parametrize(
    ("orientation", "stored"),
    [
        (1, DRAWN),
        (2, np.fliplr(DRAWN)),
        (3, np.rot90(DRAWN, 2)),
        (4, np.flipud(DRAWN)),
        (5, DRAWN.T),
        (6, np.rot90(DRAWN, 1)),
        (7, np.rot90(DRAWN, 2).T),
        (8, np.rot90(DRAWN, -1)),
    ],
    ids=str,
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_picture_is_turned_as_its_exif_data_says(file: Path, kind: str, orientation: int, stored: Picture) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.ascontiguousarray(stored)).save(file, kind, exif=exif, quality=95)

    found = load_picture(file)

    assert found.shape == DRAWN.shape
    assert np.abs(found.astype(int) - DRAWN).mean() < 3


@pytest.mark.parametrize("maximum", [1, 15, 255, 256, 1000, 65535])
@pytest.mark.parametrize("kind", ["P2", "P5"])
@pytest.mark.parametrize("comment", ["", "# by a test\n", "# one\n#\n  # three 3 4 5\n"], ids=["no", "one", "three"])
def test_pgm(file: Path, kind: str, maximum: int, comment: str) -> None:
    values = np.rint(DRAWN * (maximum / 255)).astype(int)
    height, width = values.shape
    header = f"{kind}\n{comment}{width} {comment}{height}\n{comment}{maximum}\n".encode()
    if kind == "P5":
        raster = values.astype(">u2" if maximum > 255 else "u1").tobytes()
    else:
        raster = "\n".join(" ".join(map(str, row)) for row in values).encode() + b"\n"
    file.write_bytes(header + raster)

    np.testing.assert_array_equal(load_picture(file), np.rint(values * (255 / maximum)))


def test_a_plain_pgm_may_have_comments_between_its_pixels(file: Path) -> None:
    file.write_bytes(b"P2 3 2 5\n0 1 2 # the first row\n3 4 5 # the second")

    assert load_picture(file).tolist() == [[0, 51, 102], [153, 204, 255]]


def test_bytes_behind_a_pgm_are_left_aside(file: Path) -> None:
    file.write_bytes(b"P5 2 2 255\n\x01\x02\x03\x04\nand another picture")

    assert load_picture(file).tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize("first", [b"\n", b" ", b"#", b"\xff"], ids=repr)
def test_the_first_pixel_of_a_raw_pgm_may_look_like_text(file: Path, first: bytes) -> None:
    file.write_bytes(b"P5 2 2 255\n" + first + b"\x02\x03\x04")

    assert load_picture(file).tolist() == [[first[0], 2], [3, 4]]


ARRAYS: dict[str, tuple[NDArray[Any], Picture]] = {
    "uint8": (DRAWN, DRAWN),
    "uint8, columns first": (np.asfortranarray(DRAWN), DRAWN),
    "bool": (~STROKES, INK_ON_PAPER),
    "uint16": (DRAWN.astype(np.uint16) * 257, DRAWN),
    "uint16, big-endian": ((DRAWN.astype(np.uint16) * 257).astype(">u2"), DRAWN),
    "float32, 0..1": (DRAWN.astype(np.float32) / 255, DRAWN),
    "float64, 0..1": (DRAWN / 255, DRAWN),
    "float32, 0..255": (DRAWN.astype(np.float32), DRAWN),
    "float64, 0..255": (DRAWN.astype(np.float64), DRAWN),
    "float64, big-endian": (DRAWN.astype(">f8"), DRAWN),
    "float16, 0..255": (DRAWN.astype(np.float16), DRAWN),
}


@pytest.mark.parametrize("kind", ARRAYS)
def test_npy(file: Path, kind: str) -> None:
    array, expected = ARRAYS[kind]
    with file.open("wb") as stream:
        np.save(stream, array)

    found = load_picture(file)

    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("kind", ARRAYS)
def test_arrays_come_out_grey(kind: str) -> None:
    array, expected = ARRAYS[kind]

    found = grey(array)

    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, expected)


def _with(value: float) -> NDArray[np.float64]:
    array = DRAWN / 255
    array[3, 3] = value
    return array


UNFIT_ARRAYS: dict[str, tuple[NDArray[Any], str]] = {
    "int64": (DRAWN.astype(np.int64), "int64"),
    "int8": (np.zeros((5, 5), np.int8), "int8"),
    "complex": (DRAWN.astype(complex), "complex128"),
    "text": (np.array([["a", "b"], ["c", "d"]]), "expected uint8"),
    "NaN": (_with(np.nan), "NaN"),
    "infinity": (_with(np.inf), "infinity"),
    "negative": (_with(-0.5), r"0\.\.255"),
    "above 255": (_with(255.5), r"0\.\.255"),
    "one axis": (DRAWN.ravel(), "shape"),
    "colour": (np.stack([DRAWN] * 3, axis=-1), "shape"),
    "a batch": (DRAWN[np.newaxis], "shape"),
    "a number": (np.array(3, np.uint8), "shape"),
}


@pytest.mark.parametrize("kind", UNFIT_ARRAYS)
def test_unfit_arrays_are_refused(file: Path, kind: str) -> None:
    array, message = UNFIT_ARRAYS[kind]
    with file.open("wb") as stream:
        np.save(stream, array)

    with pytest.raises(InputError, match=message):
        grey(array)
    with pytest.raises(InputError, match=message):
        load_picture(file)


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0)])
def test_an_array_without_pixels_is_refused(file: Path, shape: tuple[int, int]) -> None:
    with file.open("wb") as stream:
        np.save(stream, np.zeros(shape, np.uint8))

    with pytest.raises(InputError):
        load_picture(file)
    with pytest.raises(InputError, match="no pixels"):
        grey(np.zeros(shape, np.uint8))


def test_pickled_objects_are_not_loaded(file: Path, tmp_path: Path) -> None:
    trace = tmp_path / "the pickle was run"

    class Trap:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (trace,)

    with file.open("wb") as stream:
        np.save(stream, np.array([[Trap()]], object), allow_pickle=True)
    pickle.loads(pickle.dumps(Trap()))
    assert trace.exists()  # the trap works
    trace.unlink()

    with pytest.raises(InputError):
        load_picture(file)
    assert not trace.exists()


ENCODERS: dict[str, Callable[[Path], None]] = {
    "PNG": lambda file: Image.fromarray(DRAWN).save(file, "PNG"),
    "JPEG": lambda file: Image.fromarray(DRAWN).save(file, "JPEG"),
    "BMP": lambda file: Image.fromarray(DRAWN).save(file, "BMP"),
    "P5": lambda file: Image.fromarray(DRAWN).save(file, "PPM"),
    "npy": lambda file: np.save(file.open("wb"), DRAWN),
}


@pytest.mark.parametrize("part", [0.001, 0.01, 0.1, 0.5, 0.9])
@pytest.mark.parametrize("kind", ENCODERS)
def test_a_file_cut_short_is_refused(file: Path, kind: str, part: float) -> None:
    ENCODERS[kind](file)
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * part)])

    with pytest.raises(InputError):
        load_picture(file)


@pytest.mark.parametrize("kind", ENCODERS)
def test_a_damaged_file_is_read_or_refused_but_nothing_worse(file: Path, kind: str) -> None:
    random = np.random.default_rng(0)
    ENCODERS[kind](file)
    content = file.read_bytes()
    refused = 0
    for _ in range(60):
        damaged = bytearray(content)
        for place in random.integers(0, min(len(content), 200), 3):
            damaged[place] = int(random.integers(256))
        file.write_bytes(damaged)
        try:
            found = load_picture(file)
        except InputError:
            refused += 1
        else:
            assert (found.dtype, found.ndim) == (np.dtype(np.uint8), 2)

    assert refused > 0


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"P",
        b"an essay about threes\n",
        b"P2 is where we parked",
        b"P5",
        b"P5 ",
        b"P5\n4 4\n",
        b"P5\n4 4 255",
        b"P5\n4 4 255\n",
        b"P5\n0 4 255\n",
        b"P5\n-4 4 255\n" + bytes(16),
        b"P5\n4 4 0\n" + bytes(16),
        b"P5\n4 4 65536\n" + bytes(32),
        b"P5\n4 4 15\n" + bytes(15) + b"\x10",
        b"P5\n4 4 300\n" + bytes(16),
        b"P5\n4 4 # a comment without end",
        b"P2\n2 2 15\n1 2 3",
        b"P2\n2 2 15\n1 2 3 16",
        b"P2\n2 2 15\n1 2 3 -1",
        b"P2\n2 2 15\n1 2 3 x",
        b"P2\n2 2 15\n1 2 3 1.5",
        b"P6\n1 1 255\n" + bytes(3),
        b"GIF89a" + bytes(20),
        b"PK\x03\x04" + bytes(30),
        b"BM, he said",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff\xe0",
        b"\x93NUMPY",
        b"\x93NUMPY\x01\x00\xff\xff{",
    ],
    ids=lambda content: repr(content[:24]),
)
def test_what_is_no_picture_is_refused(file: Path, content: bytes) -> None:
    file.write_bytes(content)

    with pytest.raises(InputError):
        load_picture(file)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        load_picture(tmp_path / "missing.png")
    with pytest.raises(InputError, match="directory"):
        load_picture(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        _png(5_000, 5_000),
        _png(10_000, 10_000),
        _png(20_000, 20_000),
        b"P5 5000 5000 255\n",
        b"P2 100000 100000 255\n0",
        _npy_header((5000, 5000)) + bytes(25_000_000),
    ],
    ids=["PNG", "larger PNG", "largest PNG", "P5", "P2", "npy"],
)
def test_a_picture_that_is_too_large_is_refused_before_it_is_unpacked(file: Path, content: bytes) -> None:
    file.write_bytes(content)

    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        with pytest.raises(InputError, match="megapixels"):
            load_picture(file)

    assert [str(warning.message) for warning in said] == []


def test_an_array_that_promises_more_than_it_has_is_refused(file: Path) -> None:
    file.write_bytes(_npy_header((10**6, 10**6)))

    with pytest.raises(InputError):
        load_picture(file)


def test_a_picture_just_below_the_cap_is_read(file: Path) -> None:
    width = 5000
    file.write_bytes(f"P5 {width} {MAX_PIXELS // width} 255\n".encode() + bytes(MAX_PIXELS))

    assert load_picture(file).size == MAX_PIXELS
