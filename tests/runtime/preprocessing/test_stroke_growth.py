from __future__ import annotations

import numpy as np
from mnist_edge_runtime.preprocessing.binarization import InkMap
from mnist_edge_runtime.preprocessing.segmentation import WHOLE
from mnist_edge_runtime.preprocessing.stroke_growth import grow
from numpy.typing import NDArray


def _grown(ink: NDArray[np.uint8], noise: int = 0) -> NDArray[np.bool_]:
    strokes = ink > 100
    found = InkMap(ink, 100, 250, noise, True)
    near, mask = grow(found, WHOLE, np.where(strokes, ink, 0).astype(np.uint8), strokes, 200)
    np.testing.assert_array_equal(near > 0, mask)
    return mask


def _stroke(faint: int = 90) -> NDArray[np.uint8]:
    """A stroke of which the lower half is faint."""
    ink = np.zeros((100, 120), np.uint8)
    ink[20:50, 50:56] = 200
    ink[50:80, 50:56] = faint
    return ink


def test_a_faint_part_that_hangs_together_with_a_stroke_belongs_to_it() -> None:
    assert _grown(_stroke())[20:80, 50:56].all()
    assert not _grown(_stroke(faint=50))[50:].any()  # not above a quarter of the strokes' ink


def test_noise_raises_what_is_ink() -> None:
    assert _grown(_stroke(), noise=70)[50:80, 50:56].all()
    assert not _grown(_stroke(), noise=80)[50:].any()


def test_what_lies_apart_is_not_grown_into() -> None:
    ink = _stroke()
    ink[50:53, 50:56] = 0

    assert not _grown(ink)[50:].any()


def test_paper_is_not_grown_into() -> None:
    ink = _stroke()
    ink[50:90, 20:90] = 90  # 2,800 pixels beside 180

    assert not _grown(ink)[50:].any()


def test_what_runs_out_of_the_picture_is_a_line_of_the_paper() -> None:
    ink = _stroke()
    ink[40:44][ink[40:44] == 0] = 90

    assert _grown(ink).sum() == 180
