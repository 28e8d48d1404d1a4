from __future__ import annotations

import numpy as np
import pytest
from mnist_edge_runtime import BlankError
from mnist_edge_runtime.preprocessing.connected_components import Components
from mnist_edge_runtime.preprocessing.page_segmentation import digit_height, segment_page
from mnist_edge_trainer.demo.synthetic_digits import draw
from numpy.typing import NDArray
from scipy import ndimage

Picture = NDArray[np.uint8]


def _page() -> Picture:
    """Return a page with 3, 5 and 8 side by side, each in 100 columns from column 50."""
    page = np.full((300, 400), 240, np.uint8)
    for number, digit in enumerate("358"):
        page[100:200, 50 + 100 * number : 150 + 100 * number] = np.minimum(240, draw(digit, size=100, pen=0.06))
    return page


def _places(page: Picture) -> list[tuple[int, int]]:
    """Return row and column of the middle of what is found, in hundreds."""
    _, parts, _ = segment_page(page)
    return sorted({
        (int(top + bottom) // 200, int(left + right - 100) // 200)
        for top, bottom, left, right in zip(parts.top, parts.bottom, parts.left, parts.right, strict=True)
        if max(bottom - top, right - left) > 9
    })  # fmt: skip


def test_all_digits_are_found_and_how_high_they_are() -> None:
    ink, parts, height = segment_page(_page())

    assert _places(_page()) == [(1, 0), (1, 1), (1, 2)]
    assert 60 <= height <= 100
    assert ink.shape == parts.shape == (300, 400)
    assert not ink[:90].any()


def test_a_smudge_is_softer_than_strokes() -> None:
    page = _page().astype(float)
    smudge = np.zeros_like(page)
    smudge[230:260, 60:90] = 190
    page -= ndimage.gaussian_filter(smudge, 8)

    assert _places(np.clip(page, 0, 255).astype(np.uint8)) == [(1, 0), (1, 1), (1, 2)]


def test_the_corner_of_the_paper_is_no_digit() -> None:
    page = _page()
    y, x = np.mgrid[:300, :400]
    page[x - y > 330] = 40
    page[:, :6] = 60

    assert _places(page) == [(1, 0), (1, 1), (1, 2)]


def test_ruled_lines_are_erased() -> None:
    page = _page()
    page[20::60] = page[21::60] = 120

    ink, _, _ = segment_page(page)

    assert _places(page) == [(1, 0), (1, 1), (1, 2)]
    assert not ink[:90].any()


def test_strokes_that_fade_are_found_to_their_ends() -> None:
    page = _page()
    faded = page.copy()
    rows = np.linspace(1, 0.35, 100)[:, np.newaxis]
    faded[100:200, 250:350] = 240 - (240 - page[100:200, 250:350].astype(int)) * rows

    _, parts, _ = segment_page(faded)
    _, whole, _ = segment_page(page)

    assert abs(int(parts.bottom.max()) - int(whole.bottom.max())) <= 3


def test_neighbours_do_not_grow_together() -> None:
    page = _page()
    page[150:153, 100:300] = np.minimum(page[150:153, 100:300], 200)  # a faint stroke through all of them

    assert _places(page) == [(1, 0), (1, 1), (1, 2)]


def test_the_height_is_that_of_half_of_the_ink() -> None:
    mask = np.zeros((200, 300), bool)
    mask[10:60, 10:20] = mask[10:60, 50:60] = mask[10:60, 90:100] = mask[100:102, :250] = mask[150:155, 10:15] = True
    parts = Components(mask)

    assert digit_height(parts, parts.areas) == 50


def test_lines_without_ink_are_a_blank() -> None:
    page = np.full((300, 400), 240, np.uint8)
    page[20::60] = page[21::60] = 120

    with pytest.raises(BlankError, match="blank"):
        segment_page(page)
