from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from mnist_edge_trainer.networks.recipe import AUGMENTATIONS, Recipe
from mnist_edge_trainer.training.input_pipeline import batches, epoch_length, training_batches
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


def recipe(**parts: Any) -> Recipe:
    return Recipe(**{"epochs": 2, "batch_size": 64, "learning_rate": 1e-3, **parts})


def first_epoch(dataset: Any, images: int = 300, batch_size: int = 64) -> Any:
    return dataset.take(-(-images // batch_size))


def test_shuffling_loses_no_image_and_no_label() -> None:
    images, labels = numbered(300)
    numbers, found = epoch(first_epoch(training_batches(images, labels, 10, recipe(), seed=1)))
    assert numbers != list(range(300))
    assert sorted(numbers) == list(range(300))
    assert found == labels[numbers].tolist()


def test_shuffling_reaches_the_whole_data_set() -> None:
    """A buffer shorter than the data would keep the last images out of the first batch."""
    images, labels = numbered(2000)
    first, _ = epoch(training_batches(images, labels, 10, recipe(), seed=1).take(4))
    assert max(first) > 1800
    assert min(first) < 200


def test_the_seed_gives_the_order_of_every_epoch() -> None:
    images, labels = numbered(300)
    one, same, other = (epoch(training_batches(images, labels, 10, recipe(), seed))[0] for seed in (1, 1, 2**32 - 1))
    assert one == same
    assert sorted(one[:300]) == sorted(one[300:]) == list(range(300))
    assert one[:300] != one[300:]
    assert other[:300] not in (one[:300], one[300:])


AUGMENTED = {**AUGMENTATIONS["strong"], "epochs": 3, "clean": 0.34}


def test_an_epoch_is_the_same_wherever_a_training_begins() -> None:
    images, labels = numbered(300)
    whole = list(training_batches(images, labels, 10, recipe(**AUGMENTED), seed=3).as_numpy_iterator())
    for begun in (1, 2, 3):
        rest = training_batches(images, labels, 10, recipe(**AUGMENTED), seed=3, first_epoch=begun)
        found = list(rest.as_numpy_iterator())
        assert len(found) == 5 * (3 - begun)
        for pair, expected in zip(found, whole[5 * begun :], strict=True):
            for array, other in zip(pair, expected, strict=True):
                np.testing.assert_array_equal(array, other)


def test_the_last_epochs_are_clean_and_the_others_are_not() -> None:
    images, labels = numbered(300)
    scaled = {image.tobytes() for image in images / np.float32(255)}
    batches = list(training_batches(images, labels, 10, recipe(**AUGMENTED), seed=3).as_numpy_iterator())
    intact = [all(image.tobytes() in scaled for image in pixels) for pixels, _ in batches]
    assert intact == [False] * 10 + [True] * 5
    assert all(pixels.min() >= 0 and pixels.max() <= 1 for pixels, _ in batches)


def test_each_epoch_is_augmented_anew() -> None:
    images, labels = np.tile(numbered(1)[0], (64, 1, 1)), np.zeros(64, np.int64)
    parts = {**AUGMENTATIONS["light"], "photometric": 0.0}
    first, second = training_batches(images, labels, 10, recipe(**parts), seed=0).as_numpy_iterator()
    assert len({image.tobytes() for pixels, _ in (first, second) for image in pixels}) == 128


def test_answers_of_teachers_take_their_share_of_the_targets() -> None:
    """Each image meets the answer to itself, in the variant in which it is shown."""
    images, labels = numbered(300)
    answers = np.random.default_rng(0).random((3, 300, 10)).astype(np.float16)
    parts = {"shift": 0.001, "epochs": 4, "clean": 0.25, "variants": 2, "teacher_share": 0.25}
    dataset = training_batches(
        images, labels, 10, recipe(**parts), seed=5, soft_targets=lambda variant: answers[variant].astype(np.float32)
    )
    for number, row in enumerate((0, 1, 0, 2)):
        for pixels, targets in dataset.skip(5 * number).take(5).as_numpy_iterator():
            high, low = np.rint(pixels[:, 0, :2, 0] * 255).astype(int).T
            shown = high * 256 + low
            expected = 0.25 * answers[row, shown].astype(np.float32) + 0.75 * np.eye(10)[labels[shown]]
            np.testing.assert_allclose(targets, expected, atol=1e-6)


@pytest.mark.parametrize("pool", [20, 150])
def test_a_pool_makes_up_its_share_of_each_batch(pool: int) -> None:
    """Each other image comes once in an epoch; of the pool, none again before all have come."""
    images, labels = numbered(255 + pool)
    mixed = recipe(handwriting=0.15)
    assert epoch_length(255, mixed) == 300
    dataset = training_batches(images, labels, 10, mixed, seed=1, pool=pool)
    epochs = [epoch(dataset.skip(5 * number).take(5)) for number in (0, 1)]
    for numbers, found in epochs:
        assert found == labels[numbers].tolist()
        assert sorted(number for number in numbers if number < 255) == list(range(255))
        times = np.bincount([number - 255 for number in numbers if number >= 255], minlength=pool)
        assert times.sum() == 45
        assert times.max() == -(-45 // pool)
        for start in range(0, 300, 64):
            batch = np.array(numbers[start : start + 64])
            assert (batch >= 255).mean() == pytest.approx(0.15, abs=0.02)
    assert epochs[0][0] != epochs[1][0]
    assert {number for number in epochs[0][0] if number >= 255} != {n for n in epochs[1][0] if n >= 255} or pool == 20


def test_a_pool_is_the_same_wherever_a_training_begins() -> None:
    images, labels = numbered(300)
    arguments: dict[str, Any] = {"seed": 3, "pool": 100}
    mixed = recipe(**AUGMENTED, handwriting=0.2)
    whole = list(training_batches(images, labels, 10, mixed, **arguments).as_numpy_iterator())
    rest = list(training_batches(images, labels, 10, mixed, first_epoch=2, **arguments).as_numpy_iterator())
    assert (len(whole), len(rest)) == (12, 4)
    for pair, expected in zip(rest, whole[8:], strict=True):
        np.testing.assert_array_equal(pair[0], expected[0])


def test_images_are_not_changed() -> None:
    images, labels = numbered(50)
    before = images.copy()
    epoch(training_batches(images, labels, 10, recipe(**AUGMENTATIONS["strong"]), seed=0))
    np.testing.assert_array_equal(images, before)
