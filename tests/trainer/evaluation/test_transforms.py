from __future__ import annotations

import numpy as np
import pytest
from mnist_edge_trainer.evaluation import transforms
from PIL import ImageDraw


@pytest.fixture
def dot() -> transforms.Pixels:
    """One picture, black but for a dot at row 10, column 20."""
    picture = np.zeros((1, 28, 28), np.float32)
    picture[0, 10, 20] = 1
    return picture


def test_light_takes_from_black_to_its_value_and_leaves_white(dot: transforms.Pixels) -> None:
    blended = transforms.screen_blend(dot, np.full((1, 28, 28), 0.25))
    assert (blended[0, 10, 20], blended[0, 0, 0]) == (1, 0.25)


def test_pixels_go_the_way_they_are_sent(dot: transforms.Pixels) -> None:
    moved = transforms.translate(dot, np.array([[3.0, -2.0]]))
    assert np.argwhere(moved[0] > 0.99).tolist() == [[13, 18]]


def test_a_quarter_turn_is_about_the_centre(dot: transforms.Pixels) -> None:
    turned = transforms.affine_warp(dot, np.array([[[0.0], [-1.0]], [[1.0], [0.0]]]))
    assert np.argwhere(turned[0] > 0.99).tolist() == [[20, 17]]


def test_distance_along_a_direction_grows_by_one_a_pixel() -> None:
    distance = transforms.directional_distance(3, np.random.default_rng(0))
    steps = np.hypot(np.diff(distance, axis=1)[:, :, 1:], np.diff(distance, axis=2)[:, 1:, :])
    assert steps == pytest.approx(1)
    assert distance.mean(axis=(1, 2)) == pytest.approx(0, abs=1e-9)


def test_shapes_are_drawn_in_pixels_with_smooth_edges() -> None:
    def square(pen: ImageDraw.ImageDraw, image: int) -> None:
        left, top, right, bottom = transforms.to_canvas(np.array([4.0, 6.5, 10.0, 12.0]))
        pen.rectangle([left, top, right - 1, bottom - 1], fill=255)

    (drawn,) = transforms.rasterize(1, square)
    assert drawn[8, 5] == 1
    assert drawn[6, 5] == pytest.approx(0.5, abs=0.01)
    assert drawn[8, 3] == drawn[8, 10] == 0
