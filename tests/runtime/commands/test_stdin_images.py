from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from mnist_edge_runtime import InputError
from mnist_edge_runtime.commands import stdin_images
from mnist_edge_runtime.preprocessing import mnist
from mnist_edge_runtime.preprocessing.image_io import load_picture
from numpy.typing import NDArray
from PIL import Image

KINDS = ("PNG", "JPEG", "BMP", "PPM")


@pytest.fixture
def digit() -> NDArray[np.uint8]:
    """A one, drawn dark on light; with noise, so that a JPEG has many kinds of bytes."""
    drawn = np.random.default_rng(0).integers(225, 256, (90, 70)).astype(np.uint8)
    drawn[20:70, 32:40] = 20
    return drawn


def _encoded(drawn: NDArray[np.uint8], kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(drawn).save(buffer, kind, **options)
    return buffer.getvalue()


def _read(data: bytes) -> list[tuple[str, NDArray[np.uint8] | str]]:
    """Return name and image, or message, of each picture in a stream."""
    found: list[tuple[str, NDArray[np.uint8] | str]] = []
    for name, read in stdin_images.pictures(io.BytesIO(data)):
        try:
            found.append((name, read()))
        except InputError as error:
            found.append((name, str(error)))
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [1, 3])
def test_pictures_one_after_the_other(digit: NDArray[np.uint8], kind: str, count: int) -> None:
    data = _encoded(digit, kind)
    expected = mnist.to_mnist(load_picture(io.BytesIO(data)))

    found = _read(data * count)

    assert [name for name, _ in found] == [f"-:{number}" for number in range(1, count + 1)]
    for _, image in found:
        np.testing.assert_array_equal(image, expected)


def test_kinds_may_be_mixed_and_white_space_may_stand_between(digit: NDArray[np.uint8]) -> None:
    progressive = _encoded(digit, "JPEG", progressive=True, quality=60)
    restarting = _encoded(digit, "JPEG", restart_marker_blocks=1)
    plain = b"P2 # as text\n3 3 9\n" + b"9 0 9 9 0 9 9 0 9"
    data = b"\n\0\0".join([*(_encoded(digit, kind) for kind in KINDS), progressive, restarting, plain])

    found = _read(b"\n" + data)

    assert len(found) == len(KINDS) + 3
    assert all(isinstance(image, np.ndarray) for _, image in found), found


def test_the_smaller_images_inside_a_phones_jpeg_are_no_pictures_of_their_own(digit: NDArray[np.uint8]) -> None:
    more = [Image.fromarray(digit[::2, ::2]), Image.fromarray(digit[::3, ::3])]
    phone = _encoded(digit, "MPO", save_all=True, append_images=more)
    assert phone.count(b"\xff\xd8\xff") == 3

    found = _read(phone + _encoded(digit, "PNG") + phone)

    assert [isinstance(image, np.ndarray) for _, image in found] == [True] * 3
    np.testing.assert_array_equal(found[0][1], mnist.to_mnist(load_picture(io.BytesIO(_encoded(digit, "JPEG")))))


@pytest.mark.filterwarnings("ignore:Image appears to be a malformed MPO file")
def test_where_they_were_cut_off_the_picture_is_read(digit: NDArray[np.uint8]) -> None:
    phone = _encoded(digit, "MPO", save_all=True, append_images=[Image.fromarray(digit)])
    alone = phone[: phone.index(b"\xff\xd9") + 2]

    ((_, image),) = _read(alone)
    ((_, message),) = _read(alone + _encoded(digit, "PNG") * 9)

    assert isinstance(image, np.ndarray)
    assert "the JPEG is damaged" in str(message)


@pytest.mark.filterwarnings("ignore:Image appears to be a malformed MPO file")
def test_an_index_of_nonsense_inside_a_jpeg_ends_nothing(digit: NDArray[np.uint8]) -> None:
    phone = _encoded(digit, "MPO", save_all=True, append_images=[Image.fromarray(digit)])
    place = phone.index(b"MPF\0") + 4
    random = np.random.default_rng(0)
    for _ in range(50):
        found = _read(phone[:place] + random.bytes(60) + phone[place + 60 :])

        assert all(isinstance(image, (np.ndarray, str)) for _, image in found)


def test_a_pgm_with_comments_and_16_bits() -> None:
    pixels = np.full((30, 20), 65535, ">u2")
    pixels[5:25, 9:12] = 0
    data = b"P5\n# made by hand\n20 # wide\n30\n65535\n" + pixels.tobytes()

    (_, first), (_, second) = _read(data * 2)

    assert isinstance(first, np.ndarray)
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_cut_short_is_told_after_the_whole_ones(digit: NDArray[np.uint8], kind: str) -> None:
    data = _encoded(digit, kind)

    for length in (3, 9, len(data) // 2, len(data) - 1):
        whole, (name, message) = _read(data + data[:length])

        assert isinstance(whole[1], np.ndarray)
        assert name == "-:2"
        assert "cut short" in str(message)


def test_a_picture_that_cannot_be_decoded_keeps_none_from_being_read(digit: NDArray[np.uint8]) -> None:
    good = _encoded(digit, "PNG")
    blank = _encoded(np.full((30, 30), 255, np.uint8), "PNG")
    damaged = bytearray(good)
    damaged[60:70] = bytes(10)

    found = _read(good + blank + bytes(damaged) + good)

    assert [isinstance(image, np.ndarray) for _, image in found] == [True, False, False, True]
    assert str(found[1][1]).startswith("-:2: the picture is blank")
    assert str(found[2][1]).startswith("-:3: ")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "-:1: stdin is empty; expected PNG"),
        (b" \n ", "-:1: stdin is empty"),
        (b"a.png\nb.png\n", "-:1: what stands on stdin here is no picture; expected PNG"),
        (b"\x89PNG\r\n\x1a\n\xff\xff\xff\xffIDAT", "more than 64 MiB"),
        (b"P5 99999 99999 255\n", "more than 64 MiB"),
        (b"P5 " + b" " * 5000, "header cannot be read"),
        (b"BM" + bytes(60), "does not tell its size"),
        (b"\xff\xd8\xff\xe0\x00\x02rubbish", "the JPEG is damaged"),
    ],
    ids=["nothing", "space", "names", "a huge chunk", "a huge PGM", "no header", "BMP of no size", "no marker"],
)
def test_what_is_no_picture_is_told_once(data: bytes, message: str) -> None:
    ((_, told),) = _read(data)

    assert message in str(told)


def test_json_lines_with_pixels_and_files(tmp_path: Path, digit: NDArray[np.uint8]) -> None:
    file = tmp_path / "one.png"
    file.write_bytes(_encoded(digit, "PNG"))
    lines = [{"pixels": digit.tolist()}, {"file": str(file), "shelf": 3}, {"file": "missing.png"}]

    found = _read("\n\n".join(map(json.dumps, lines)).encode())

    assert [name for name, _ in found] == ["-:1", str(file), "missing.png"]
    np.testing.assert_array_equal(found[0][1], mnist.to_mnist(digit))
    np.testing.assert_array_equal(found[1][1], mnist.read(file))
    assert str(found[2][1]).startswith("missing.png: No such file")


def test_pixels_in_mnists_form_go_through_bit_for_bit() -> None:
    image = np.zeros((28, 28), np.uint8)
    image[4:24, 12:15] = np.arange(60).reshape(20, 3) + 100

    ((_, found),) = _read(json.dumps({"pixels": image.tolist()}).encode())

    np.testing.assert_array_equal(found, image)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "no JSON"),
        ("rubbish", "no JSON"),
        ("[" * 5000, "no JSON"),
        ("7", "expected an object with either file or pixels"),
        ("{}", "expected an object with either file or pixels"),
        ('{"file": "a.png", "pixels": [[1]]}', "expected an object with either file or pixels"),
        ('{"file": 7}', "file is no name"),
        ('{"file": "a\\u0000.png"}', "file is no name"),
        ('{"pixels": 7}', "rows of equal length of whole numbers 0 to 255"),
        ('{"pixels": []}', "rows of equal length"),
        ('{"pixels": [[1, 2], [3]]}', "rows of equal length"),
        ('{"pixels": [[1, 256]]}', "rows of equal length"),
        ('{"pixels": [[1, -1]]}', "rows of equal length"),
        ('{"pixels": [[1, 0.5]]}', "rows of equal length"),
        ('{"pixels": [[1, NaN]]}', "rows of equal length"),
        ('{"pixels": [[1, true]]}', "rows of equal length"),
        ('{"pixels": ["12", "34"]}', "rows of equal length"),
        ('{"pixels": [[[1]]]}', "rows of equal length"),
        ('{"pixels": [[1]]}', "at least 3 x 3"),
    ],
)
def test_a_bad_line_is_told_by_its_number_and_the_next_is_read(line: str, message: str) -> None:
    good = json.dumps({"pixels": [[255, 0, 255]] * 5})

    (_, first), (name, told), (last, image) = _read(f"{good}\n{line}\n{good}".encode())

    assert isinstance(first, np.ndarray)
    assert name == "-:2"
    assert str(told).startswith("-:2: ")
    assert message in str(told)
    assert last == "-:3"
    assert isinstance(image, np.ndarray)


def test_an_endless_line_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stdin_images, "_MAX_BYTES", 1 << 20)

    ((_, told),) = _read(b'{"pixels": [[' + b"0, " * (1 << 20))

    assert "a line of more than 1 MiB" in str(told)
