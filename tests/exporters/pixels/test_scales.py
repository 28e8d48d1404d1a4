from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from mnist_edge_exporters.pixels import scales
from mnist_edge_exporters.pixels.scales import Statistics
from mnist_edge_trainer.data.datasets import Dataset
from numpy.typing import NDArray


@pytest.fixture
def statistics(digits: Dataset) -> Statistics:
    return Statistics.of(digits.train_images)


def _unit(x: NDArray[np.float64], axis: int | tuple[int, ...]) -> NDArray[np.float64]:
    norm = np.sqrt((x**2).sum(axis=axis, keepdims=True))
    return x / np.where(norm == 0, 1, norm)


def _standardized(x: NDArray[np.float64]) -> NDArray[np.float64]:
    deviation = x.std(axis=(1, 2, 3), keepdims=True)
    return (x - x.mean(axis=(1, 2, 3), keepdims=True)) / np.maximum(deviation, 1 / 28)


OTHERS: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "l2": lambda x: _unit(x, (1, 2, 3)),
    "l2-columns": lambda x: _unit(x[..., 0], 1)[..., np.newaxis],  # keras.utils.normalize(x, axis=1)
    "l2-rows": lambda x: _unit(x[..., 0], -1)[..., np.newaxis],  # keras.utils.normalize(x)
    "standardized-per-image": _standardized,
    "maximum-per-image": lambda x: x / np.maximum(x.max(axis=(1, 2, 3), keepdims=True), 1 / 255),
    "binary": lambda x: (x > 0.5).astype(np.float64),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_scale_is_what_its_name_says(name: str, digits: Dataset, statistics: Statistics) -> None:
    images = np.concatenate([digits.test_images[:20], np.zeros((1, 28, 28), np.uint8), digits.test_images[:1] // 5])
    pixels = images[..., np.newaxis] / np.float32(255)
    found = np.asarray(scales.OTHERS[name](pixels, statistics))
    np.testing.assert_allclose(found, OTHERS[name](pixels.astype(np.float64)), atol=1e-5)


def test_scales_by_pixel_are_those_of_the_training_images(digits: Dataset, statistics: Statistics) -> None:
    from sklearn.preprocessing import StandardScaler

    flat = digits.train_images.reshape(-1, 784) / 255
    scaler = StandardScaler().fit(flat)
    pixels = digits.test_images[:20, ..., np.newaxis] / np.float32(255)
    expected = scaler.transform(pixels.reshape(-1, 784))
    found = np.asarray(scales.OTHERS["standardized-per-pixel"](pixels, statistics)).reshape(-1, 784)
    np.testing.assert_allclose(found, expected, atol=1e-3)
    centred = np.asarray(scales.OTHERS["centred-per-pixel"](pixels, statistics)).reshape(-1, 784)
    np.testing.assert_allclose(centred, pixels.reshape(-1, 784) - flat.mean(axis=0), atol=1e-5)


def test_statistics_are_those_of_all_pixels(digits: Dataset, statistics: Statistics) -> None:
    pixels = digits.train_images / 255
    assert statistics.mean == pytest.approx(pixels.mean())
    assert statistics.deviation == pytest.approx(pixels.std())
    inverted = Statistics.of(255 - digits.train_images)
    assert statistics.inverted().mean == pytest.approx(inverted.mean)
    np.testing.assert_allclose(statistics.inverted().means, inverted.means, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("0..255", (255, 0)),
        ("-1..1", (2, -1)),
        ("standardized:0.5:0.25", (4, -2)),
        ("rescaled:255:-33.3", (255, -33.3)),
        ("rescaled:-1:1", (-1, 1)),
    ],
)
def test_a_linear_scale_has_a_scale_and_an_offset(name: str, line: tuple[float, float]) -> None:
    assert scales.affine(name) == pytest.approx(line)


@pytest.mark.parametrize(
    "name",
    [
        "l2",
        "0..2",
        "standardized",
        "standardized:0.1",
        "standardized:0.1:0",
        "standardized:nan:1",
        "standardized:0:inf",
        "rescaled:0:1",
        "rescaled:1:2:3",
        "rescaled:a:b",
    ],
)
def test_other_names_are_no_linear_scale(name: str) -> None:
    assert scales.affine(name) is None


def test_of_scales_that_are_the_same_here_one_is_tried(statistics: Statistics) -> None:
    names = scales.candidates(statistics)
    assert len(names) == len(set(names))
    assert "standardized:0.1307:0.3081" in names
    assert f"standardized:{statistics.mean:.4g}:{statistics.deviation:.4g}" in names
    like_mnist = scales.candidates(Statistics(statistics.means, statistics.deviations, 0.131, 0.308, 1.0))
    assert [name for name in like_mnist if name.startswith("standardized:0.1")] == ["standardized:0.1307:0.3081"]
    assert "maximum-per-image" not in like_mnist
    assert "maximum-per-image" in scales.candidates(
        Statistics(statistics.means, statistics.deviations, statistics.mean, statistics.deviation, 0.6)
    )
