from __future__ import annotations

import pytest
from mnist_edge_runtime import confidence_interval
from scipy.stats import binomtest


@pytest.mark.parametrize(
    ("right", "count"), [(0, 1), (1, 1), (0, 32), (32, 32), (31, 32), (9893, 10_000), (10_000, 10_000), (7, 300)]
)
def test_wilson_is_that_of_scipy_to_the_bit(right: int, count: int) -> None:
    expected = binomtest(right, count).proportion_ci(method="wilson")
    assert confidence_interval.wilson(right, count) == (float(expected.low), float(expected.high))


def test_an_accuracy_is_given_with_its_interval() -> None:
    assert confidence_interval.format_accuracy(0.9893, 10_000) == "98.93% (95%: 98.71 to 99.11)"
    assert confidence_interval.format_accuracy(1.0, 32) == "100.00% (95%: 89.28 to 100.00)"


def test_an_accuracy_in_float32_has_the_interval_of_its_count() -> None:
    """Keras gives 197 of 200 as 0.9850000143051147."""
    assert confidence_interval.interval_of(0.9850000143051147, 200) == confidence_interval.wilson(197, 200)


@pytest.mark.parametrize(("images", "part"), [(1, "test"), (32, "test"), (199, "validation")])
def test_few_images_are_warned_of(images: int, part: str) -> None:
    warning = confidence_interval.few_images_warning(images, part)
    assert warning is not None
    assert warning.startswith(f"only {images} {part} image")
    assert "use 200 or more" in warning


@pytest.mark.parametrize("images", [200, 10_000])
def test_enough_images_are_not(images: int) -> None:
    assert confidence_interval.few_images_warning(images) is None
