from __future__ import annotations

import itertools

import numpy as np
from mnist_edge_exporters.report.labels import Box, place

FRAME = Box(0, 0, 400, 300)


def test_labels_cover_neither_each_other_nor_the_points() -> None:
    generator = np.random.default_rng(0)
    points = [(float(x), float(y)) for x, y in generator.uniform(80, 220, (9, 2))]
    texts = ["none", "float16", "dynamic", "int8", "int16x8", "none", "float16", "int8", "int8-float32-io"]
    boxes = [
        Box(at.x - 3.4 * len(text), at.y - 6, at.x + 3.4 * len(text), at.y + 6)
        for at, text in zip(place(points, texts, FRAME), texts, strict=True)
    ]
    assert all(first.overlap(second) == 0 for first, second in itertools.combinations(boxes, 2))
    assert not any(box.left < x < box.right and box.top < y < box.bottom for box in boxes for x, y in points)


def test_a_lone_label_stands_right_beside_its_point() -> None:
    (at,) = place([(100.0, 100.0)], ["int8"], FRAME)
    assert at.y == 100
    assert 100 < at.x < 130
    assert not at.is_far


def test_a_label_leaves_neither_its_frame_nor_covers_what_is_taken() -> None:
    (at,) = place([(395.0, 100.0)], ["int8"], FRAME)
    assert at.x < 395
    (at,) = place([(100.0, 100.0)], ["int8"], FRAME, [Box(0, 80, 400, 120)])
    assert not 80 < at.y < 120
    assert at.is_far


def test_points_in_one_place_have_labels_in_two() -> None:
    first, second = place([(200.0, 100.0), (200.0, 100.0)], ["none", "none"], FRAME)
    assert (first.x, first.y) != (second.x, second.y)
