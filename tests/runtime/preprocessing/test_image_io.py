from __future__ import annotations

import io
import os
import pickle
import struct
import subprocess
import sys
import tempfile
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mnist_edge_runtime import InputError
from mnist_edge_runtime.preprocessing.grayscale import MAX_PIXELS
from mnist_edge_runtime.preprocessing.image_io import load_picture, picture_files, pixels_of, save_picture
from mnist_edge_trainer.demo.synthetic_digits import draw
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
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_a_picture_is_turned_as_its_exif_data_says(file: Path, kind: str, orientation: int, stored: Picture) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(np.ascontiguousarray(stored)).save(file, kind, exif=exif, quality=95)

    found = load_picture(file)

    assert found.shape == DRAWN.shape
    assert np.abs(found.astype(int) - DRAWN).mean() < 3


@pytest.mark.parametrize("maximum", [1, 6, 10, 15, 100, 255, 256, 1000, 65535])
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

    np.testing.assert_array_equal(load_picture(file), (255 * values + maximum // 2) // maximum)  # as mnist/1 has it


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


@pytest.mark.parametrize("dtype", ["u1", "<u2", ">u2", "f4", ">f8"])
def test_npy(file: Path, dtype: str) -> None:
    array = DRAWN.astype(dtype) * (257 if "2" in dtype else 1)
    with file.open("wb") as stream:
        np.save(stream, array.astype(dtype))

    np.testing.assert_array_equal(load_picture(file), DRAWN)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (DRAWN.astype(np.int64) + 256, "got int64"),
        (np.where(STROKES, np.nan, DRAWN), "NaN"),
        (DRAWN.ravel(), "shape"),
        (np.zeros((0, 5), np.uint8), "no pixels|damaged"),
    ],
    ids=["int64", "NaN", "one axis", "empty"],
)
def test_an_unfit_array_in_a_file_is_refused(file: Path, array: NDArray[Any], message: str) -> None:
    with file.open("wb") as stream:
        np.save(stream, array)

    with pytest.raises(InputError, match=message):
        load_picture(file)


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
    with pytest.raises(InputError, match="a folder and no file"):
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


@pytest.mark.parametrize("kind", ["P2", "P5"])
def test_a_pgm_larger_than_what_is_read_at_a_time(file: Path, kind: str) -> None:
    values = np.random.default_rng(0).integers(0, 256, (1100, 1000))
    raster = values.astype(np.uint8).tobytes()
    if kind == "P2":
        raster = b"# " + b"long " * 300_000 + b"\n" + b" ".join(b"%d" % value for value in values.ravel())
    file.write_bytes(b"%s 1000 1100 255\n" % kind.encode() + raster)

    np.testing.assert_array_equal(load_picture(file), values)


@pytest.mark.parametrize(("side", "shrunk"), [(1000, 1000), (2900, 1450), (4400, 2200)])
def test_a_large_jpeg_is_decoded_at_a_part_of_its_size_unless_it_is_wanted_whole(
    file: Path, side: int, shrunk: int
) -> None:
    page = np.full((side, side), 240, np.uint8)
    page[: side // 2] = 40
    Image.fromarray(page).convert("RGB").save(file, "JPEG")

    found = load_picture(file)

    assert found.shape == (shrunk, shrunk)
    assert load_picture(file, whole=True).shape == (side, side)
    np.testing.assert_allclose(found[:: shrunk // 8, 5].astype(int), page[:: side // 8, 5], atol=3)


def test_a_jpeg_of_very_many_scans_is_refused_at_once(file: Path) -> None:
    """A file of a few kilobytes whose pixels are refined again and again would take minutes."""
    Image.fromarray(DRAWN).save(file, "JPEG", progressive=True)
    content = file.read_bytes()
    start = content.rindex(b"\xff\xda")
    file.write_bytes(content[:start] + content[start:-2] * 500 + content[-2:])

    with pytest.raises(InputError, match="scans"):
        load_picture(file)


BOMBS: dict[str, Callable[[Path], None]] = {
    "PNG": lambda file: file.write_bytes(_png(20_000, 20_000)) and None,
    "PNG cut short": lambda file: file.write_bytes(_png(5_000, 4_000)) and None,
    "PNG all black": lambda file: Image.new("RGBA", (5000, 4000)).save(file, "PNG"),
    "JPEG": lambda file: Image.new("RGB", (5000, 4000)).save(file, "JPEG", progressive=True),
    "BMP": lambda file: file.write_bytes(
        b"BM" + struct.pack("<IIIIIIHHIIIIII", 54, 0, 54, 40, 5000, 4000, 1, 24, 0, 0, 0, 0, 0, 0)
    ) and None,
    "P2": lambda file: file.write_bytes(b"P2 5000 4000 255\n" + b"# " * 10**6) and None,
    "P2 of one number": lambda file: file.write_bytes(b"P2 5000 4000 255\n" + b"1" * 10**7) and None,
}  # fmt: skip
MEASURED = """
import resource, sys, time
from PIL import BmpImagePlugin, Image, JpegImagePlugin, PngImagePlugin
from mnist_edge_runtime import InputError, load_picture, to_mnist
before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
try:
    to_mnist(load_picture(sys.argv[1]))
except InputError as error:
    print(time.process_time() - start, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


@pytest.mark.parametrize("kind", BOMBS)
def test_bombs_and_what_is_cut_short_cost_little(file: Path, kind: str) -> None:
    BOMBS[kind](file)

    result = subprocess.run([sys.executable, "-c", MEASURED, file], capture_output=True, text=True, check=True)
    seconds, megabytes = map(float, result.stdout.split())

    assert megabytes <= 128
    assert seconds <= 2  # under a second on a machine that has nothing else to do


@settings(max_examples=200, deadline=None)
@given(st.one_of(
    st.binary(max_size=200),
    st.tuples(
        st.sampled_from([b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"BM", b"P2 ", b"P5 ", b"\x93NUMPY\x01\x00"]),
        st.binary(max_size=200),
    ).map(b"".join),
    st.from_regex(rb"\AP[25]( |\n)[0-9]{1,3} [0-9]{1,3} [0-9]{1,5}\n[0-9 #\n]{0,60}", fullmatch=True),
))  # fmt: skip
def test_any_bytes_are_a_picture_or_are_refused(content: bytes) -> None:
    with tempfile.NamedTemporaryFile() as stream:
        stream.write(content)
        stream.flush()
        try:
            found = load_picture(stream.name)
        except InputError:
            return
    assert (found.dtype, found.ndim) == (np.dtype(np.uint8), 2)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(sorted(ENCODERS)),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=8),
    st.floats(0.5, 1),
)
def test_any_damage_is_read_or_refused(kind: str, changes: list[tuple[float, int]], part: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "picture"
        ENCODERS[kind](file)
        damaged = bytearray(file.read_bytes())
        for place, value in changes:
            damaged[int(place**3 * len(damaged))] = value  # the headers most of all
        file.write_bytes(damaged[: int(len(damaged) * part)])
        try:
            found = load_picture(file)
        except InputError:
            return
    assert (found.dtype, found.ndim) == (np.dtype(np.uint8), 2)


@pytest.mark.parametrize("as_path", [Path, str])
def test_a_path_may_be_text(file: Path, as_path: Callable[[Path], Any]) -> None:
    Image.fromarray(DRAWN).save(file, "PNG")

    np.testing.assert_array_equal(load_picture(as_path(file)), DRAWN)


def test_picture_files_come_in_order_and_nothing_is_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "gone.png").symlink_to("nowhere")
    for name in ("notes.txt", ".hidden.png", "deep/c.png", ".git/e.png", "A.PNG", "b.jpeg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()

    assert [Path(file).name for file in picture_files(tmp_path)] == [
        "A.PNG",
        "b.jpeg",
        "gone.png",
        "pipe.png",
    ]
    assert [Path(file).name for file in picture_files(tmp_path, recursive=True)] == [
        "A.PNG", "b.jpeg", "gone.png", "pipe.png", "c.png",
    ]  # fmt: skip


def test_a_folder_that_cannot_be_read_is_reported(tmp_path: Path) -> None:
    errors: list[OSError] = []

    assert list(picture_files(tmp_path / "missing", on_error=errors.append)) == []
    assert [error.filename for error in errors] == [str(tmp_path / "missing")]


def test_a_saved_picture_is_the_same_when_it_is_read(tmp_path: Path) -> None:
    save_picture(DRAWN, tmp_path / "drawn.png")

    np.testing.assert_array_equal(load_picture(tmp_path / "drawn.png"), DRAWN)
    assert [file.name for file in tmp_path.iterdir()] == ["drawn.png"]


def test_an_array_that_is_a_mask_is_refused_unless_it_is_bool(tmp_path: Path) -> None:
    mask = np.zeros((40, 40), np.uint8)
    mask[5:30, 18:22] = 1
    np.save(tmp_path / "mask.npy", mask)
    with pytest.raises(InputError, match="0 and 1 alone, nearly black; of a mask, with 1 for ink, multiply by 255"):
        load_picture(tmp_path / "mask.npy")
    np.save(tmp_path / "mask.npy", mask.astype(bool))
    np.testing.assert_array_equal(load_picture(tmp_path / "mask.npy"), mask * 255)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF"])
def test_the_size_is_known_before_a_picture_is_decoded(form: str) -> None:
    data = io.BytesIO()
    Image.new("L", (300, 200), 255).save(data, form)
    assert pixels_of(data) == 60_000
    assert pixels_of(io.BytesIO(data.getvalue()[:8])) == 0


@pytest.mark.parametrize("data", [b"", b"hello", b"P5 9 9 255\n" + bytes(81), b"\x89PNG\r\n\x1a\n" + bytes(100)])
def test_where_the_size_is_not_known_it_is_none(data: bytes) -> None:
    assert pixels_of(io.BytesIO(data)) == 0
