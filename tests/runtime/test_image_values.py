from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mnist_edge_runtime import BlankError, Classifier, InputError
from mnist_edge_runtime.image_arrays import to_images
from mnist_edge_runtime.image_values import to_image
from mnist_edge_runtime.preprocessing.image_io import save_picture
from numpy.typing import NDArray
from PIL import Image

IMAGE = np.zeros((28, 28), np.uint8)
IMAGE[4:24, 12:16] = np.arange(174, 254).reshape(20, 4)  # a 1 in MNIST's form, no two pixels of it alike


@pytest.mark.parametrize(
    "shape",
    [(28, 28), (784,), (28, 28, 1), (28, 1, 28), (784, 1), (1, 784, 1), (1, 28, 28), (1, 784), (1, 28, 28, 1)],
    ids=str,
)
def test_one_image_has_many_shapes(shape: tuple[int, ...]) -> None:
    np.testing.assert_array_equal(to_image(IMAGE.reshape(shape)), IMAGE)


@pytest.mark.parametrize("dtype", ["int8", "uint16", ">i2", "int32", "uint32", "int64", ">u8"])
def test_whole_numbers_of_any_width_are_pixels(dtype: str) -> None:
    image = np.minimum(IMAGE, 127).astype(dtype)

    assert to_image(image).dtype == np.uint8
    np.testing.assert_array_equal(to_image(image), np.minimum(IMAGE, 127))
    np.testing.assert_array_equal(to_image(image.tolist()), np.minimum(IMAGE, 127))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (IMAGE / 255, r"float64 \(28, 28\), .* multiply by 255 and round"),
        (IMAGE.astype(np.float16), "float16"),
        (IMAGE > 0, "bool .*multiply by 255"),
        (IMAGE.astype(np.int32) - 1, "int32 from -1 to 252"),
        (IMAGE.astype(np.uint16) + 10, "uint16 from 10 to 263"),
        (IMAGE.astype(complex), "complex"),
        (IMAGE.astype(str), "<U"),
        (IMAGE[:27], r"uint8 \(27, 28\)"),
        (np.stack([IMAGE] * 3, axis=-1), r"uint8 \(28, 28, 3\).*to_mnist brings any picture"),
        (np.uint8(7), r"\(\)"),
        ([[1, 2], [3]], "list"),
        ([[10**400] * 28] * 28, "list"),
        ([[None] * 28] * 28, "list"),
        (None, "NoneType"),
        ({}, "dict"),
        (7, "int"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_image_is_refused(value: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        to_image(value)
    with pytest.raises(InputError, match=message):
        to_images(value)


def _png(pixels: NDArray[np.uint8], file: Path) -> bytes:
    save_picture(pixels, file)
    return file.read_bytes()


def test_pictures_are_read_wherever_they_are(tmp_path: Path) -> None:
    file = tmp_path / "one.png"
    data = _png(IMAGE, file)

    for source in (file, str(file), data, bytearray(data), memoryview(data), io.BytesIO(data), Image.open(file)):
        np.testing.assert_array_equal(to_image(source), IMAGE)
    with file.open("rb") as opened:
        np.testing.assert_array_equal(to_image(opened), IMAGE)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "LA", "I;16"])
def test_a_pil_image_is_read_as_its_file_is(tmp_path: Path, mode: str) -> None:
    page = np.full((60, 40), 250, np.uint8)
    page[10:50, 18:24] = 20  # ink on paper
    picture = Image.fromarray(page.astype(np.uint16) * 257 if mode == "I;16" else page)
    picture = picture if mode == "I;16" else picture.convert(mode)
    picture.save(tmp_path / "page.png")

    assert picture.mode == mode
    np.testing.assert_array_equal(to_image(picture), to_image(tmp_path / "page.png"))


def test_a_pil_image_turned_by_its_camera_is_read_upright(tmp_path: Path) -> None:
    page = np.full((60, 40), 250, np.uint8)
    page[10:50, 18:24] = 20
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(page).save(tmp_path / "turned.jpg", exif=exif, quality=100)

    found = to_image(Image.open(tmp_path / "turned.jpg"))

    assert found.any(axis=0).sum() > found.any(axis=1).sum()


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="picture"):
        to_image(b"no picture")
    with pytest.raises(InputError, match="str, expected bytes"):
        to_image(io.StringIO("text"))
    with pytest.raises(InputError, match="No such file"):
        to_image(tmp_path / "nothing.png")
    with pytest.raises(BlankError):
        to_image(Image.new("RGB", (50, 50)))
    with pytest.raises(InputError, match="mode F"):
        to_image(Image.new("F", (50, 50)))


MASK = (IMAGE > 0).astype(np.uint8)


@pytest.mark.parametrize("accept_all", [False, True])
def test_a_classifier_refuses_a_mask(accept_all: bool) -> None:
    with Classifier.load(accept_all=accept_all) as classifier:
        with pytest.raises(InputError, match="0 and 1 alone"):
            classifier.classify(MASK)
        with pytest.raises(InputError, match="0 and 1 alone"):
            classifier.logits(np.stack([MASK, MASK]))
        assert classifier.classify(MASK * 255).label == "1"
        classifier.classify(MASK * 0)
        classifier.classify(MASK * 2)


class _Slow:
    """An open file that gives a few bytes at a time, as sockets and unbuffered pipes do."""

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)

    def read(self, size: int) -> bytes:
        return self._file.read(min(size, 50))


def test_an_open_file_is_read_to_its_end_however_little_it_gives(tmp_path: Path) -> None:
    data = _png(IMAGE, tmp_path / "one.png")

    np.testing.assert_array_equal(to_image(_Slow(data)), IMAGE)
    reader, writer = os.pipe()
    with open(reader, "rb", buffering=0) as pipe:
        os.set_blocking(reader, False)
        with pytest.raises(InputError, match="nothing to read yet"):
            to_image(pipe)
        os.set_blocking(reader, True)
        os.write(writer, data)
        os.close(writer)
        np.testing.assert_array_equal(to_image(pipe), IMAGE)


def test_an_npy_file_is_read_wherever_it_is(tmp_path: Path) -> None:
    np.save(tmp_path / "one.npy", IMAGE.astype(np.int64)[..., np.newaxis])
    data = (tmp_path / "one.npy").read_bytes()

    for source in (tmp_path / "one.npy", data, io.BytesIO(data), _Slow(data)):
        np.testing.assert_array_equal(to_image(source), IMAGE)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_pil_image_of_a_damaged_file_is_told(kind: str) -> None:
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (90, 90), np.uint8)).save(file, kind)
    picture = Image.open(io.BytesIO(file.getvalue()[: file.tell() // 2]))
    with pytest.raises(InputError, match=r"a PIL image that cannot be decoded .*damaged or cut short"):
        to_image(picture)
