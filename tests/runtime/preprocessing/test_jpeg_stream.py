from __future__ import annotations

import io
import os
import threading

import numpy as np
import pytest
from mnist_edge_runtime import InputError
from mnist_edge_runtime.preprocessing import jpeg_stream
from numpy.typing import NDArray
from PIL import Image


@pytest.fixture
def picture() -> NDArray[np.uint8]:
    """A picture with noise, so that its JPEG has many kinds of bytes."""
    return np.random.default_rng(0).integers(0, 256, (90, 70)).astype(np.uint8)


def _jpeg(picture: NDArray[np.uint8], kind: str = "JPEG", **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, kind, **options)
    return buffer.getvalue()


def _phone(picture: NDArray[np.uint8], *appended: NDArray[np.uint8]) -> bytes:
    """Return a JPEG as phones write it: smaller images are appended to it and listed in it."""
    return _jpeg(picture, "MPO", save_all=True, append_images=[Image.fromarray(each) for each in appended])


def _split(data: bytes, *, max_bytes: int = 1 << 26, padding: bytes = b"\n\0") -> list[bytes]:
    return list(jpeg_stream.split(data[:2], io.BytesIO(data[2:]), max_bytes=max_bytes, padding=padding))


@pytest.mark.parametrize(
    "options", [{}, {"progressive": True, "quality": 60}, {"restart_marker_blocks": 1}, {"quality": 100}], ids=str
)
def test_each_jpeg_comes_whole(picture: NDArray[np.uint8], options: dict[str, object]) -> None:
    data = _jpeg(picture, **options)

    assert _split(data) == [data]
    assert _split(data * 3) == [data] * 3
    assert _split(data + b"\n\0\0" + data + b"\0" * 200_000) == [data] * 2


def test_a_jpeg_is_complete_before_anything_follows_it(picture: NDArray[np.uint8]) -> None:
    data = _jpeg(picture)
    source, sink = os.pipe()
    watchdog = threading.Timer(60, os.close, [sink])  # ends a test that would wait for ever
    watchdog.start()
    with open(source, "rb") as stream:
        jpegs = jpeg_stream.split(b"", stream, max_bytes=1 << 20, padding=b"")
        for _ in range(2):
            os.write(sink, data)
            assert next(jpegs) == data
        watchdog.cancel()
        os.close(sink)
        assert list(jpegs) == []


def test_images_appended_to_a_phones_jpeg_belong_to_it(picture: NDArray[np.uint8]) -> None:
    phone = _phone(picture, picture[::2, ::2], picture[::3, ::3])
    assert phone.count(b"\xff\xd8\xff") == 3

    assert _split(phone + _jpeg(picture) + phone) == [phone, _jpeg(picture), phone]


def test_where_they_were_cut_off_the_jpeg_is_read(picture: NDArray[np.uint8]) -> None:
    phone = _phone(picture, picture)
    alone = phone[: phone.index(b"\xff\xd9") + 2]

    assert _split(alone) == [alone]
    with pytest.raises(InputError, match="the JPEG is damaged"):
        _split(alone + bytes(1) + phone * 9)


def test_an_index_of_nonsense_ends_in_nothing_worse_than_an_error(picture: NDArray[np.uint8]) -> None:
    phone = _phone(picture, picture)
    place = phone.index(b"MPF\0") + 4
    random = np.random.default_rng(0)
    for _ in range(50):
        try:
            found = _split(phone[:place] + random.bytes(60) + phone[place + 60 :])
        except InputError:
            continue
        assert b"".join(found)


@pytest.mark.parametrize("length", [2, 3, 9, 500, -1])
def test_a_jpeg_cut_short_comes_after_the_whole_ones(picture: NDArray[np.uint8], length: int) -> None:
    data = _jpeg(picture)
    jpegs = jpeg_stream.split(b"", io.BytesIO(data + data[:length]), max_bytes=1 << 20, padding=b"")

    assert next(jpegs) == data
    assert list(jpegs) == [data[:length]]


@pytest.mark.parametrize("other", [b"\x89PNG\r\n", b"P5 3 3 255\n", b"rubbish"])
def test_something_else_must_not_follow(picture: NDArray[np.uint8], other: bytes) -> None:
    with pytest.raises(InputError, match="something other than a JPEG follows"):
        _split(_jpeg(picture) + other)


def test_an_endless_jpeg_is_given_up(picture: NDArray[np.uint8]) -> None:
    data = _jpeg(picture)[:-2] + bytes(3 << 20)

    with pytest.raises(InputError, match="more than 1 MiB"):
        _split(data, max_bytes=1 << 20)
    segment = b"\xff\xe1\xff\xff" + bytes(65533)
    with pytest.raises(InputError, match="more than 1 MiB"):
        _split(b"\xff\xd8" + segment * 20, max_bytes=1 << 20)
