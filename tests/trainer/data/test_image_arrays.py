from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from mnist_edge_runtime.errors import InputError
from mnist_edge_trainer.data import image_arrays
from numpy.typing import NDArray

IMAGES = np.arange(5 * 784, dtype=np.int64).reshape(5, 28, 28) % 256
LABELS = np.array([3, 0, 2, 1, 3])


def pixels(images: NDArray[Any]) -> NDArray[np.uint8]:
    return image_arrays.pixels({"training": images}, "own.npz")["training"]


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int16, np.int64, np.float16, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(5, 28, 28), (5, 784), (5, 28, 28, 1), (5, 1, 28, 28), (5, 784, 1)])
def test_every_shape_and_type_is_the_same_image(dtype: type, shape: tuple[int, ...]) -> None:
    images = np.minimum(IMAGES, np.iinfo(dtype).max) if np.issubdtype(dtype, np.integer) else IMAGES
    found = pixels(images.astype(dtype).reshape(shape))
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, images)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_pixels_of_0_to_1_become_those_of_0_to_255(dtype: type) -> None:
    np.testing.assert_array_equal(pixels((IMAGES / 255).astype(dtype)), IMAGES)


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int64, np.float32])
def test_black_and_white_images_are_0_and_255(dtype: type) -> None:
    np.testing.assert_array_equal(pixels((IMAGES > 127).astype(dtype)), np.where(IMAGES > 127, 255, 0))


@pytest.mark.parametrize("scale", [1, 255])
@pytest.mark.parametrize("factor", [1.0001, 1.002, 1.04])
def test_floats_a_little_beyond_their_scale_are_clipped(scale: int, factor: float) -> None:
    overshot = np.where(IMAGES == 0, 1 - factor, IMAGES / 255 * factor).astype(np.float32) * np.float32(scale)
    wanted = np.clip(np.rint(np.where(IMAGES == 0, 0, IMAGES * factor)), 0, 255)
    assert np.abs(pixels(overshot).astype(int) - wanted).max() <= 1
    assert pixels(overshot).max() == 255
    together = image_arrays.pixels({"training": overshot, "test": IMAGES / 255 * scale}, "own.npz")
    assert [images.max() for images in together.values()] == [255, 255]


@pytest.mark.parametrize("highest", [1.1, 2.0, 15.0])
def test_floats_of_an_unclear_scale_are_refused(highest: float) -> None:
    with pytest.raises(InputError, match=f"pixels from 0 to {highest:g}, expected 0 to 1 or 0 to 255.*or clip them"):
        pixels(IMAGES / 255 * highest)


def test_a_single_image_is_one_image() -> None:
    assert pixels(IMAGES[:1].reshape(1, 28, 28, 1)).shape == (1, 28, 28)


def test_fractions_between_0_and_255_are_rounded() -> None:
    np.testing.assert_array_equal(pixels(np.clip(IMAGES - 0.4, 0, 255)), IMAGES)


@pytest.mark.parametrize(
    ("images", "reason"),
    [
        (np.zeros((5, 28, 29)), r"float64 \(5, 28, 29\), expected numbers \(N, 28, 28\)"),
        (np.zeros((28, 28, 5), np.uint8), r"uint8 \(28, 28, 5\)"),
        (np.zeros((5, 28, 28, 3), np.uint8), "make colours grey first"),
        (np.zeros((0, 28, 28), np.uint8), r"uint8 \(0, 28, 28\)"),
        (np.zeros((5, 28, 28), "U1"), "<U1"),
        (np.zeros((5, 28, 28), complex), "complex128"),
        (np.where(IMAGES == 9, np.nan, IMAGES), "NaN or infinite"),
        (np.where(IMAGES == 9, np.inf, IMAGES), "NaN or infinite"),
        ((IMAGES / 255 - 0.1307) / 0.3081, r"pixels from -0\.424213 to 2\.82149, .*before they were standardised"),
        (IMAGES / 127.5 - 1, "pixels from -1 to 1"),
        (IMAGES.astype(np.uint16) * 257, "pixels from 0 to 65535"),
    ],
)
def test_what_could_be_misread_is_refused(images: NDArray[Any], reason: str) -> None:
    with pytest.raises(InputError, match=rf"own\.npz: the training images .*{reason}"):
        pixels(images)


def test_a_fault_behind_the_first_chunk_is_found() -> None:
    images = np.zeros((image_arrays._CHUNK + 3, 784), np.float32)
    images[-1, -1] = np.nan
    with pytest.raises(InputError, match="NaN"):
        pixels(images)


def test_parts_of_another_scale_are_refused() -> None:
    with pytest.raises(InputError, match="highest pixel is 1 in the training images, 255 in the test images"):
        image_arrays.pixels({"training": IMAGES / 255, "test": IMAGES}, "own.npz")


@pytest.mark.parametrize(
    "labels",
    [
        LABELS.astype(np.uint8),
        LABELS.reshape(5, 1),
        LABELS.astype(np.float32),
        np.eye(4, dtype=np.uint8)[LABELS],
        np.eye(4)[LABELS],
        np.eye(4, dtype=bool)[LABELS],
    ],
    ids=["bytes", "column", "floats", "one-hot bytes", "one-hot floats", "one-hot booleans"],
)
def test_every_form_of_labels_is_the_same_label(labels: NDArray[Any]) -> None:
    found = image_arrays.labels(labels, 5, "the labels")
    assert found.dtype.kind in "ui"
    np.testing.assert_array_equal(found, LABELS)


@pytest.mark.parametrize("kind", ["U", "S"])
def test_labels_may_be_text(kind: str) -> None:
    words = np.array(["a", "bc", "ä", "d", "a"])
    given = words if kind == "U" else np.char.encode(words, "utf-8")
    np.testing.assert_array_equal(image_arrays.labels(given, 5, "the labels"), words)


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        (LABELS[:4], r"int64 \(4,\), expected integers or text \(5,\)"),
        (np.full((5, 2), 3), r"int64 \(5, 2\), but not one-hot"),
        (np.ones((5, 3)), "not one-hot"),
        (np.full((5, 4), 0.25), "not one-hot"),
        (LABELS + 0.5, "fractions, NaN or infinity"),
        (np.array([0, 1, np.nan, 1, 0]), "fractions, NaN or infinity"),
        (np.array([b"\xff"] * 5), "no UTF-8 text"),
        (np.array(3), r"int64 \(\)"),
        (np.zeros(5, complex), "complex128"),
    ],
)
def test_labels_that_say_nothing_are_refused(labels: NDArray[Any], reason: str) -> None:
    with pytest.raises(InputError, match=rf"^the labels are .*{reason}"):
        image_arrays.labels(labels, 5, "the labels")
