from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from mnist_edge_trainer.pipeline import batches
from numpy.typing import NDArray


def numbered(count: int, classes: int = 10) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images that each tell their number in their first two pixels."""
    images = np.random.default_rng(count).integers(0, 256, (count, 28, 28), np.uint8)
    images[:, 0, 0], images[:, 0, 1] = np.arange(count) // 256, np.arange(count) % 256
    return images, np.arange(count, dtype=np.int64) * 7 % classes


def epoch(dataset: Any) -> tuple[list[int], list[int]]:
    """Go once through a data set and return the numbers of the images and their labels, in order."""
    numbers: list[int] = []
    labels: list[int] = []
    for pixels, one_hot in dataset.as_numpy_iterator():
        high, low = np.rint(pixels[:, 0, :2, 0] * 255).astype(int).T
        numbers.extend((high * 256 + low).tolist())
        labels.extend(one_hot.argmax(axis=1).tolist())
    return numbers, labels


def test_shapes_and_types() -> None:
    images, labels = numbered(70)
    found = list(batches(images, labels, 10, 32).as_numpy_iterator())
    assert [pixels.shape for pixels, _ in found] == [(32, 28, 28, 1), (32, 28, 28, 1), (6, 28, 28, 1)]
    assert [one_hot.shape for _, one_hot in found] == [(32, 10), (32, 10), (6, 10)]
    assert {array.dtype for pair in found for array in pair} == {np.dtype(np.float32)}


def test_each_pixel_is_divided_by_255_exactly() -> None:
    """The device divides in float32 as well: both must give the same number to the last bit."""
    grey = np.arange(784, dtype=np.int64).reshape(1, 28, 28).astype(np.uint8)
    [(pixels, _)] = batches(grey, np.array([0]), 10, 1).as_numpy_iterator()
    np.testing.assert_array_equal(pixels[..., 0], grey.astype(np.float32) / np.float32(255))
    assert (pixels.min(), pixels.max()) == (0, 1)


@pytest.mark.parametrize("classes", [2, 10, 26])
def test_labels_are_one_hot(classes: int) -> None:
    images, labels = numbered(60, classes)
    found = np.concatenate([one_hot for _, one_hot in batches(images, labels, classes, 16).as_numpy_iterator()])
    np.testing.assert_array_equal(found, np.eye(classes, dtype=np.float32)[labels])


def test_without_a_seed_the_order_is_kept() -> None:
    images, labels = numbered(300)
    dataset = batches(images, labels, 10, 64)
    for _ in range(2):
        assert epoch(dataset) == (list(range(300)), labels.tolist())


def test_shuffling_loses_no_image_and_no_label() -> None:
    images, labels = numbered(300)
    numbers, found = epoch(batches(images, labels, 10, 64, shuffle_seed=1))
    assert numbers != list(range(300))
    assert sorted(numbers) == list(range(300))
    assert found == labels[numbers].tolist()


def test_shuffling_reaches_the_whole_data_set() -> None:
    """A buffer shorter than the data would keep the last images out of the first batch."""
    images, labels = numbered(2000)
    first, _ = epoch(batches(images, labels, 10, 64, shuffle_seed=1).take(4))
    assert max(first) > 1800
    assert min(first) < 200


def test_the_seed_gives_the_order_of_every_epoch() -> None:
    images, labels = numbered(300)
    one, same, other = (batches(images, labels, 10, 64, shuffle_seed=seed) for seed in (1, 1, 2))
    first, second = epoch(one), epoch(one)
    assert first != second
    assert (epoch(same), epoch(same)) == (first, second)
    assert epoch(other) not in (first, second)


def test_images_are_not_changed() -> None:
    images, labels = numbered(50)
    before = images.copy()
    epoch(batches(images, labels, 10, 16, shuffle_seed=0))
    np.testing.assert_array_equal(images, before)
