from __future__ import annotations

import numpy as np
import pytest
from mnist_edge_runtime import BlankError
from mnist_edge_runtime.preprocessing.segmentation import segment_digit, segment_strokes
from mnist_edge_trainer.demo.synthetic_digits import draw


def test_the_strokes_have_full_strength_and_nothing_else_has_any() -> None:
    drawn = draw("8", size=120)

    strength = segment_digit(drawn)

    assert strength[drawn < 40].min() > 0.9
    assert strength[drawn == 245].max() < 0.1


def test_what_lies_apart_is_another_thing() -> None:
    page = np.full((200, 600), 245, np.uint8)
    page[40:160, 40:160] = draw("3", size=120, pen=0.06)
    page[60:140, 500:580] = draw("7", size=80)

    strength = segment_digit(page)

    assert strength[:, :200].max() == 1
    assert strength[:, 480:].max() == 0


def test_all_strokes_are_found_where_all_are_looked_for() -> None:
    page = np.full((200, 600), 245, np.uint8)
    page[40:160, 40:160] = draw("3", size=120, pen=0.06)
    page[60:140, 500:580] = draw("7", size=80)

    _, parts = segment_strokes(page, lambda parts, masses: masses > 0)

    assert sorted(parts.boxes[:, 1] // 300) == [0, 1]


@pytest.mark.parametrize("specks", [1, 5])
def test_specks_alone_are_a_blank(specks: int) -> None:
    page = np.full((100, 100), 245, np.uint8)
    for place in np.random.default_rng(0).integers(5, 95, (specks, 2)):
        page[tuple(place)] = 100

    with pytest.raises(BlankError, match="blank"):
        segment_digit(page)
