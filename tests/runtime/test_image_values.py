from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mnist_edge_runtime import BlankError, Classifier, InputError
from mnist_edge_runtime.image_values import to_image, to_images
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


@pytest.mark.parametrize(
    "shape",
    [(3, 28, 28), (3, 784), (3, 28, 28, 1), (3, 1, 28, 28), (3, 28, 1, 28), (1, 3, 28, 28), (3, 784, 1)],
    ids=str,
)
def test_many_images_have_many_shapes(shape: tuple[int, ...]) -> None:
    images = np.stack([IMAGE, IMAGE.T, 255 - IMAGE])

    np.testing.assert_array_equal(to_images(images.reshape(shape)), images)


def test_an_axis_for_the_number_of_images_stays() -> None:
    assert to_images(IMAGE.reshape(1, 28, 28)).shape == (1, 28, 28)
    assert to_images(IMAGE.reshape(1, 28, 28, 1)).shape == (1, 28, 28)
    assert to_images(IMAGE.reshape(28, 28, 1)).shape == (28, 28)
    assert to_images(np.empty((0, 28, 28), np.uint8)).shape == (0, 28, 28)
    assert to_images(np.zeros((28, 28, 28), np.uint8)).shape == (28, 28, 28)


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


@pytest.mark.parametrize("value", [MASK.astype(int), MASK.tolist(), MASK.ravel(), MASK[np.newaxis]], ids=repr)
def test_a_mask_is_no_image(value: Any) -> None:
    with pytest.raises(InputError, match="0 and 1 alone, nearly black; of a mask, with 1 for ink, multiply by 255"):
        to_images(value)


def test_black_alone_and_two_shades_are_images() -> None:
    for image in (MASK * 0, MASK * 2, MASK * 255):
        np.testing.assert_array_equal(to_images(image.astype(int)), image)


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
