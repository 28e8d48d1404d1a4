from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mnist_edge_runtime import InputError, load_picture
from mnist_edge_runtime.commands import stdin_images
from mnist_edge_runtime.commands.image_sources import Picture
from numpy.typing import NDArray
from PIL import Image, features

KINDS = ("PNG", "JPEG", "BMP", "PPM")
ALL_KINDS = (*KINDS, "WEBP", "GIF", "TIFF", "AVIF", "NPY")


@pytest.fixture
def digit() -> NDArray[np.uint8]:
    """A one, drawn dark on light, with noise."""
    drawn = np.random.default_rng(0).integers(225, 256, (90, 70)).astype(np.uint8)
    drawn[20:70, 32:40] = 20
    return drawn


def _encoded(drawn: NDArray[np.uint8], kind: str) -> bytes:
    buffer = io.BytesIO()
    if kind == "NPY":
        np.save(buffer, drawn)
        return buffer.getvalue()
    Image.fromarray(drawn).save(buffer, kind)
    return buffer.getvalue()


def _read(data: bytes) -> list[tuple[str, NDArray[np.uint8] | str]]:
    """Return the name of each picture in a stream, and its pixels or the message of its error."""
    found: list[tuple[str, NDArray[np.uint8] | str]] = []
    for name, load, _ in stdin_images.pictures(io.BytesIO(data)):
        try:
            found.append((name, load()))
        except InputError as error:
            found.append((name, str(error)))
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("padding", [b"", b"\n\0\0"])
def test_one_picture_of_every_kind(digit: NDArray[np.uint8], kind: str, padding: bytes) -> None:
    data = _encoded(digit, kind)

    ((name, pixels),) = _read(padding + data + padding)

    assert name == "-:1"
    np.testing.assert_array_equal(pixels, load_picture(io.BytesIO(data)))


def test_a_pgm_as_text() -> None:
    ((_, pixels),) = _read(b"P2 # as text\n3 3 9\n" + b"9 0 9 9 0 9 9 0 9")

    np.testing.assert_array_equal(pixels, [[255, 0, 255]] * 3)


def test_jpegs_one_after_the_other(digit: NDArray[np.uint8]) -> None:
    data = _encoded(digit, "JPEG")

    found = _read(data * 3)

    assert [name for name, _ in found] == ["-:1", "-:2", "-:3"]
    for _, pixels in found:
        np.testing.assert_array_equal(pixels, load_picture(io.BytesIO(data)))


@pytest.mark.parametrize("padding", [b"", b"\n"])
@pytest.mark.parametrize("second", ALL_KINDS)
@pytest.mark.parametrize("first", [kind for kind in ALL_KINDS if kind != "JPEG"])
def test_pictures_of_other_kinds_must_not_follow_each_other(
    digit: NDArray[np.uint8], first: str, second: str, padding: bytes
) -> None:
    ((name, message),) = _read(_encoded(digit, first) + padding + _encoded(digit, second))

    assert name == "-:1"
    assert "only JPEGs may follow each other; name the files instead" in str(message)


def test_a_pgm_of_16_bits_is_one_picture() -> None:
    pixels = np.full((30, 20), 65535, ">u2")
    data = b"P5\n# made by hand\n20 # wide\n30\n65535\n" + pixels.tobytes()

    ((_, one),) = _read(data)
    ((_, two),) = _read(data * 2)

    assert isinstance(one, np.ndarray)
    assert "only JPEGs may follow" in str(two)


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_cut_short_is_refused(digit: NDArray[np.uint8], kind: str) -> None:
    data = _encoded(digit, kind)

    for length in (9, len(data) // 2):
        ((_, message),) = _read(data[:length])

        assert any(word in str(message) for word in ("cut short", "header", "unknown"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_end_costs_no_picture_on_stdin_either(digit: NDArray[np.uint8], kind: str) -> None:
    ((_, pixels),) = _read(_encoded(digit, kind)[:-1])

    assert isinstance(pixels, np.ndarray)
    assert np.mean(abs(pixels.astype(int) - digit) < 40) > 0.95


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "WEBP", "AVIF"])
@pytest.mark.parametrize("padding", [b"", b"\n\0\0\0\0"])
def test_other_kinds_go_by_their_content(digit: NDArray[np.uint8], kind: str, padding: bytes) -> None:
    if kind in ("WEBP", "AVIF") and not features.check(kind.lower()):
        pytest.skip(f"this Pillow has no {kind}")
    data = _encoded(digit, kind)

    ((_, pixels),) = _read(padding + data)

    np.testing.assert_array_equal(pixels, load_picture(io.BytesIO(data)))


@pytest.mark.parametrize(
    ("start", "name"),
    [(b"\0\0\0\x0cjP  ", "JPEG 2000"), (b"\0\0\x01\0", "Windows icon"), (b"\0\0\x08\x03", "IDX file of images")],
)
def test_what_begins_with_zeros_is_named(start: bytes, name: str) -> None:
    ((_, message),) = _read(start + bytes(40))

    assert f"no picture but {name}" in str(message)


def test_a_jpeg_cut_short_is_reported_after_the_whole_ones(digit: NDArray[np.uint8]) -> None:
    data = _encoded(digit, "JPEG")

    whole, (name, message) = _read(data + data[: len(data) // 2])

    assert isinstance(whole[1], np.ndarray)
    assert name == "-:2"
    assert "cut short" in str(message)
    _, (_, pixels) = _read(data + data[:-1])
    np.testing.assert_array_equal(pixels, whole[1])


def test_a_jpeg_that_cannot_be_decoded_keeps_none_from_being_read(digit: NDArray[np.uint8]) -> None:
    good = _encoded(digit, "JPEG")
    damaged = good.replace(b"\xff\xc0\x00\x0b\x08", b"\xff\xc0\x00\x0b\x07")
    assert damaged != good

    first, second, third = _read(good + damaged + good)

    assert [isinstance(pixels, np.ndarray) for _, pixels in (first, second, third)] == [True, False, True]
    assert second[0] == "-:2"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "stdin is empty; expected one picture"),
        (b" \n ", "stdin is empty"),
        (b"a.png\nb.png\n", "stdin holds no picture but text; expected one picture"),
        (b"P5 " + b" " * 5000, "its content is text"),
        (b"\xff\xd8\xff\xe0\x00\x02rubbish", "the JPEG is damaged"),
        (b'\xef\xbb\xbf{"file": "a.png"}', "text with a byte order mark; save it as UTF-8 without one"),
        ('{"file": "a.png"}'.encode("utf-16"), "text in UTF-16; save it as UTF-8"),
        (b'[{"file": "a.png"}]', "a JSON array; send each picture as an object on its own line"),
        (b" [[0, 255]]", "a JSON array; send each picture as an object on its own line"),
    ],
    ids=["nothing", "space", "names", "no header", "no marker", "BOM", "UTF-16", "objects", "rows"],
)
def test_what_is_no_picture_is_reported_once(data: bytes, message: str) -> None:
    ((name, told),) = _read(data)

    assert name == "-:1"
    assert message in str(told)


@pytest.mark.parametrize("start", [b"\x89PNG\r\n\x1a\n", b"P5 99999 99999 255\n"])
def test_an_endless_picture_is_given_up(monkeypatch: pytest.MonkeyPatch, start: bytes) -> None:
    monkeypatch.setattr(stdin_images, "_MAX_BYTES", 1 << 20)

    ((_, told),) = _read(start + bytes(1 << 20))

    assert told == "the picture has more than 1 MiB"


def test_json_lines_with_pixels_and_files(tmp_path: Path, digit: NDArray[np.uint8]) -> None:
    file = tmp_path / "one.png"
    file.write_bytes(_encoded(digit, "PNG"))
    lines = [{"pixels": digit.tolist()}, {"file": str(file), "shelf": 3}, {"file": "missing.png"}]

    found = _read("\n\n".join(map(json.dumps, lines)).encode())

    assert [name for name, _ in found] == ["-:1", str(file), "missing.png"]
    np.testing.assert_array_equal(found[0][1], digit)
    np.testing.assert_array_equal(found[1][1], load_picture(file))
    assert str(found[2][1]).startswith("No such file")


def test_pixels_in_mnists_form_go_through_bit_for_bit() -> None:
    image = np.zeros((28, 28), np.uint8)
    image[4:24, 12:15] = np.arange(60).reshape(20, 3) + 100
    data = json.dumps({"pixels": image.tolist()}).encode()

    ((name, load, _),) = stdin_images.pictures(io.BytesIO(data))

    np.testing.assert_array_equal(Picture(name, load).to_mnist("auto"), image)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "no JSON"),
        ("rubbish", "no JSON"),
        ("[" * 5000, "no JSON (it is nested too deeply)"),
        ('\ufeff{"file": "a.png"}', "no JSON (it begins with a byte order mark (BOM))"),
        ('{"file": ' + "1" * 5000 + "}", "no JSON (it has a whole number of 5,000 digits)"),
        ('[{"file": "a.png"}]', "expected an object with either file or pixels"),
        ('{"file": "-"}', 'file is "-", which is stdin itself'),
        ('{"file": "a.png", "id": NaN}', "id is nan"),
        ("7", "expected an object with either file or pixels"),
        ("{}", "expected an object with either file or pixels"),
        ('{"file": "a.png", "pixels": [[1]]}', "expected an object with either file or pixels"),
        ('{"file": 7}', "file is no name of a file"),
        ('{"file": "a\\u0000.png"}', "file is no name of a file"),
        ('{"pixels": 7}', "rows of equal length, or 784 in all, of whole numbers 0 to 255"),
        ('{"pixels": []}', "rows of equal length"),
        ('{"pixels": [[1, 2], [3]]}', "rows of equal length"),
        ('{"pixels": [[1, 256]]}', "rows of equal length"),
        ('{"pixels": [[1, -1]]}', "rows of equal length"),
        ('{"pixels": [[2, 0.5]]}', "pixels are from 0.5 to 2.0, expected rows of equal length"),
        ('{"pixels": [[-0.1, 0.5]]}', "pixels are from -0.1 to 0.5"),
        ('{"pixels": [[0, 1], [1, 0]]}', "0 and 1 alone"),
        ('{"pixels": [[1, NaN]]}', "pixels is nan, expected a finite number"),
        ('{"pixels": [[1, 1e400]]}', "pixels is inf, expected a finite number"),
        ('{"pixels": [[1, 1' + "0" * 400 + "]]}", "pixels is a whole number beyond 64 bits"),
        ('{"pixels": [[1, null]]}', "rows of equal length"),
        ('{"pixels": {"0": 1}}', "rows of equal length"),
        ('{"pixels": [' + "7, " * 782 + "7]}", "got 783 pixels in one list"),
        ('{"file": "a\\ud800.png"}', "file holds a character that UTF-8 cannot hold"),
        ('{"file": ""}', "file is no name of a file"),
        ('{"file": "a.png", "file": "b.png"}', "the key 'file' stands twice"),
        ('{"file": "a.png", "id": [1]}', "the id is neither a string nor a number"),
        ('{"file": "a.png", "id": true}', "the id is neither a string nor a number"),
        ('{"pixels": [[1, true]]}', "rows of equal length"),
        ('{"pixels": ["12", "34"]}', "rows of equal length"),
        ('{"pixels": [[[1]]]}', "rows of equal length"),
    ],
)
def test_a_bad_line_is_named_by_its_number_and_the_next_is_read(line: str, message: str) -> None:
    good = json.dumps({"pixels": [[255, 0, 255]] * 5})

    (_, first), (name, told), (last, image) = _read(f"{good}\n{line}\n{good}".encode())

    assert isinstance(first, np.ndarray)
    assert name == "-:2"
    assert message in str(told)
    assert last == "-:3"
    assert isinstance(image, np.ndarray)


@pytest.mark.parametrize("as_rows", [True, False])
@pytest.mark.parametrize("are_shares", [True, False])
def test_pixels_in_every_form_are_the_same_picture(as_rows: bool, are_shares: bool) -> None:
    image = np.zeros((28, 28), np.uint8)
    image[4:24, 12:15] = 255
    image[10] = 51
    values: Any = image / 255 if are_shares else image
    # As JavaScript writes shares: 0 and 1 without a point.
    text = json.dumps((values if as_rows else values.ravel()).tolist()).replace(".0,", ",").replace(".0]", "]")

    ((_, found),) = _read(f'{{"pixels": {text}}}'.encode())

    np.testing.assert_array_equal(found, image)


def test_each_line_keeps_the_id_of_its_sender() -> None:
    lines = [{"file": "a.png", "id": "a 7"}, {"pixels": 7, "id": 12}, {"file": "b.png"}, {"file": "c.png", "id": None}]

    found = stdin_images.pictures(io.BytesIO("\n".join(map(json.dumps, lines)).encode()))

    assert [(image.name, image.id) for image in found] == [
        ("a.png", "a 7"), ("-:2", 12), ("b.png", None), ("c.png", None),
    ]  # fmt: skip


def test_a_line_that_is_too_long_is_left_out_and_the_next_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stdin_images, "_MAX_LINE", 1 << 20)
    good = json.dumps({"pixels": [[255, 0, 255]] * 5}).encode()

    (name, told), (last, image) = _read(b'{"pixels": [[' + b"0, " * (1 << 20) + b"\n" + good)

    assert name == "-:1"
    assert "a line of more than 1 MiB" in str(told)
    assert last == "-:2"
    assert isinstance(image, np.ndarray)


@pytest.mark.parametrize("kind", ["WEBP", "GIF", "AVIF", "PNG"])
def test_a_jpeg_and_a_picture_of_another_kind_are_told_apart(digit: NDArray[np.uint8], kind: str) -> None:
    jpeg = _encoded(digit, "JPEG")

    whole, (name, message) = _read(jpeg + _encoded(digit, kind))

    assert isinstance(whole[1], np.ndarray)
    assert name == "-:2"
    assert "something other than a JPEG follows" in str(message)


@pytest.mark.parametrize(
    ("line", "own_id"),
    [
        ('{"id": "a7", "pixels": [[NaN, 0.5]]}', "a7"),
        ('{"id": "a8", "File": "x"}', "a8"),
        ('{"id": 9, "file": "a\\ud800.png"}', 9),
        ('{"id": "a10", "file": 7}', "a10"),
        ('{"id": "a11", "file": "-"}', "a11"),
        ('{"id": "a12", "shelf": 1e400, "file": "a.png"}', "a12"),
        ('{"id": NaN, "file": "a.png"}', None),
        ('{"id": "\\ud800", "file": "a.png"}', None),
    ],
)
def test_a_line_that_cannot_be_read_keeps_its_id(line: str, own_id: str | int | None) -> None:
    (found,) = stdin_images.pictures(io.BytesIO(line.encode()))

    assert found.id == own_id
    with pytest.raises(InputError):
        found.load()
