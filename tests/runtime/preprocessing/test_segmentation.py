from __future__ import annotations

import numpy as np
import pytest
from mnist_edge_runtime import BlankError
from mnist_edge_runtime.preprocessing.segmentation import cleared, find_strokes, one_digit, strength, with_fainter_ends
from mnist_edge_trainer.demo.synthetic_digits import draw
from numpy.typing import NDArray
from PIL import Image


def _two() -> NDArray[np.uint8]:
    page = np.full((200, 600), 245, np.uint8)
    page[40:160, 40:160] = draw("3", size=120, pen=0.06)
    page[60:140, 500:580] = draw("7", size=80)
    return page


def test_the_strokes_have_full_strength_and_nothing_else_has_any() -> None:
    drawn = draw("8", size=120)

    strokes = find_strokes(drawn, one_digit)
    ink, parts = with_fainter_ends(strokes)
    found = strength(ink, parts.mask(one_digit(parts, parts.areas)), 200)

    assert strokes.score > 205
    assert found[drawn < 40].min() == 255
    assert found[drawn == 245].max() == 0


@pytest.mark.parametrize("digit", "035689")
def test_a_blurred_digit_is_not_given_up_for_the_sharp_remains_of_it(digit: str) -> None:
    """As an image of 28 x 28 that is enlarged: the edges are soft, what a closing leaves of it is sharper."""
    small = np.asarray(Image.fromarray(draw(digit, size=40, pen=0.08)).reduce(2))
    blurred = np.pad(np.kron(small, np.ones((5, 5), np.uint8)), 30, constant_values=245)

    strokes = find_strokes(blurred, one_digit)

    assert strokes.mask[blurred < 80].all()


@pytest.mark.parametrize("pen", [0.002, 0.004, 0.008])
def test_a_hairline_that_falls_to_pieces_is_one_stroke(pen: float) -> None:
    strokes = find_strokes(draw("3", size=200, pen=pen), one_digit)

    assert int(strokes.chosen.sum()) == 1
    assert strokes.score >= 205


def test_what_lies_apart_is_another_thing() -> None:
    strokes = find_strokes(_two(), one_digit)

    assert (strokes.parts.left[strokes.chosen] < 200).all()
    assert (strokes.parts.left[~strokes.chosen] > 480).all()
    assert not with_fainter_ends(strokes)[0][:, 480:].any()


def test_all_strokes_are_found_where_all_are_looked_for() -> None:
    _, parts = with_fainter_ends(find_strokes(_two(), lambda parts, weights: weights > 0))

    assert sorted(parts.left // 300) == [0, 1]


def test_parts_of_a_digit_are_near_it_or_touch_it() -> None:
    mask = np.zeros((200, 300), bool)
    mask[50:150, 50:70] = True  # the digit, of extent 100
    mask[50:62, 100:112] = True  # as large as no speck, within 40
    mask[100:103, 73:76] = True  # a speck that touches it
    mask[100:111, 100:111] = True  # a speck
    mask[50:100, 112:120] = False
    mask[50:100, 120:130] = True  # too far away

    strokes = find_strokes(np.where(mask, 20, 240).astype(np.uint8), one_digit)

    assert sorted(zip(strokes.parts.left, strokes.chosen, strict=True)) == [
        (50, True),
        (73, True),
        (100, False),
        (100, True),
        (120, False),
    ]


def test_faint_ends_are_found_by_a_lower_threshold() -> None:
    page = np.full((100, 100), 240, np.uint8)
    page[20:60, 40:46] = 20
    page[60:64, 40:46] = 100

    strokes = find_strokes(page, one_digit)
    ink, parts = with_fainter_ends(strokes)

    assert (int(strokes.parts.bottom[0]), int(parts.bottom[0])) == (60, 62)  # as far as the rim
    assert ink.max() == 220


@pytest.mark.parametrize("specks", [1, 5])
def test_specks_alone_are_a_blank(specks: int) -> None:
    page = np.full((100, 100), 245, np.uint8)
    for place in np.random.default_rng(0).integers(5, 95, (specks, 2)):
        page[tuple(place)] = 100

    with pytest.raises(BlankError, match="blank"):
        with_fainter_ends(find_strokes(page, one_digit))


def test_strength_is_the_share_of_full_ink_within_a_pixel_of_the_strokes() -> None:
    ink = np.array([[0, 40, 100, 250, 100, 20, 90]], np.uint8)
    mask = ink > 200

    assert strength(ink, mask, 200).tolist() == [[0, 0, 127, 255, 127, 0, 0]]
    assert cleared(np.array([[50, 51]], np.uint8)).tolist() == [[0, 51]]
