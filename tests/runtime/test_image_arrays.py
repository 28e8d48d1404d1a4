from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from mnist_edge_runtime import InputError
from mnist_edge_runtime.image_arrays import as_picture, to_images

IMAGE = np.zeros((28, 28), np.uint8)
IMAGE[6:22, 12:16] = np.arange(190, 254).reshape(16, 4)  # a 1 in MNIST's form, no two pixels of it alike
MASK = (IMAGE > 0).astype(np.uint8)


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


@pytest.mark.parametrize("value", [MASK.astype(int), MASK.tolist(), MASK.ravel(), MASK[np.newaxis]], ids=repr)
def test_a_mask_is_no_image(value: Any) -> None:
    with pytest.raises(InputError, match="0 and 1 alone, nearly black; of a mask, with 1 for ink, multiply by 255"):
        to_images(value)


def test_black_alone_and_two_shades_are_images() -> None:
    for image in (MASK * 0, MASK * 2, MASK * 255):
        np.testing.assert_array_equal(to_images(image.astype(int)), image)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "uint16", ">i4", "uint32", "int64"])
@pytest.mark.parametrize(
    "shape", [(28, 28), (28, 28, 1), (1, 28, 28), (784,), (1, 784), (784, 1), (1, 1, 28, 28)], ids=str
)
def test_a_stored_image_may_have_the_shapes_and_widths_of_an_array(shape: tuple[int, ...], dtype: str) -> None:
    found = as_picture(IMAGE.reshape(shape).astype(dtype))

    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, IMAGE)


@pytest.mark.parametrize(
    ("shape", "found"),
    [
        ((60, 40), (60, 40)),
        ((60, 40, 1), (60, 40)),
        ((1, 60, 40), (60, 40)),
        ((1, 60, 40, 3), (60, 40, 3)),
        ((1, 60, 3), (1, 60, 3)),
        ((1, 60), (1, 60)),
        ((2, 60, 40), (2, 60, 40)),
        ((60,), (60,)),
    ],
    ids=str,
)
def test_a_stored_picture_loses_the_axes_that_say_nothing(shape: tuple[int, ...], found: tuple[int, ...]) -> None:
    assert as_picture(np.full(shape, 7, np.int32)).shape == found
    assert as_picture(np.full(shape, 0.5)).shape == found


def test_numbers_of_more_bits_stay_and_other_numbers_are_refused() -> None:
    assert as_picture(np.full((9, 9), 1023, np.uint16)).dtype == np.uint16
    for array, message in ((MASK.astype(np.int32) - 1, "from -1 to 0"), (MASK.astype(np.int32) * 999, "from 0 to 999")):
        with pytest.raises(InputError, match=message):
            as_picture(array)
    with pytest.raises(InputError, match="0 and 1 alone"):
        as_picture(MASK)
