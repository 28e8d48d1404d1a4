from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import cache

import numpy as np
import pytest
from mnist_edge_runtime import BlankError, Classifier, InputError, Prediction
from mnist_edge_runtime.line_reader import Digit, enlarged, read_lines
from mnist_edge_runtime.preprocessing.mnist import to_mnist
from mnist_edge_trainer.demo.synthetic_digits import draw
from numpy.typing import NDArray
from PIL import Image

Picture = NDArray[np.uint8]

SIDE = 80
LINES = ("3052", "746", "98")


@cache
def _digit(digit: str) -> Picture:
    """Return a drawing with nothing around it."""
    drawn = draw(digit, size=SIDE, pen=0.05)
    rows, columns = np.flatnonzero((drawn < 200).any(axis=1)), np.flatnonzero((drawn < 200).any(axis=0))
    return drawn[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _page(lines: tuple[str, ...], *, gap: int = 20) -> tuple[Picture, list[list[tuple[int, int, int, int]]]]:
    """Return a page with the lines, and the box of each digit."""
    page = np.full((40 + 120 * len(lines), 480), 245, np.uint8)
    boxes: list[list[tuple[int, int, int, int]]] = []
    for number, line in enumerate(lines):
        boxes.append([])
        left = 40 + 15 * number
        for digit in line:
            drawn, top = _digit(digit), 40 + 120 * number
            height, width = drawn.shape
            part = page[top : top + height, left : left + width]
            np.minimum(part, drawn, out=part)
            boxes[-1].append((left, top, width, height))
            left += width + gap
    return page, boxes


class _Reader:
    """Answers by the drawing that an image is nearest to, as the real classifier does by its network."""

    def __init__(self) -> None:
        from mnist_edge_runtime.preprocessing import mnist

        self.known = {digit: mnist.to_mnist(draw(digit, size=SIDE, pen=0.05)).astype(float) for digit in "0123456789"}

    def classify(self, image: Picture) -> Prediction:
        distances = np.array([np.abs(image - known).mean() for known in self.known.values()])
        probabilities = np.exp(-distances / 4) / np.exp(-distances / 4).sum()
        confidence = float(np.exp(-((distances.min() / 15) ** 2)))
        return Prediction(str(distances.argmin()), confidence, probabilities.astype(np.float32), True, None)


@pytest.fixture(scope="module")
def reader() -> _Reader:
    return _Reader()


def _texts(lines: list[list[Digit]]) -> tuple[str, ...]:
    return tuple("".join(digit.prediction.label for digit in line) for line in lines)


def test_lines_are_read_from_the_top_and_digits_from_the_left(reader: _Reader) -> None:
    page, boxes = _page(LINES)

    found = read_lines(page, reader)  # type: ignore[arg-type]

    assert _texts(found) == LINES
    for line, expected in zip(found, boxes, strict=True):
        np.testing.assert_allclose([digit.box for digit in line], expected, atol=5)


def _shaded(page: Picture) -> Picture:
    y, x = np.mgrid[0 : 1 : page.shape[0] * 1j, 0 : 1 : page.shape[1] * 1j]
    return (page * (1 - 0.3 * x - 0.3 / (1 + np.exp(-40 * (y + x - 1))))).astype(np.uint8)


def _ruled(page: Picture) -> Picture:
    page = page.copy()
    page[35::60] = np.minimum(page[35::60], 170)
    return page


def _squared(page: Picture) -> Picture:
    page = page.copy()
    page[15::40] = np.minimum(page[15::40], 150)
    page[:, 10::40] = np.minimum(page[:, 10::40], 150)
    return page


def _smudged(page: Picture) -> Picture:
    y, x = np.mgrid[: page.shape[0], : page.shape[1]]
    smudge = 90 * np.exp(-((y - 330) ** 2 + (x - 430) ** 2) / 500)
    return np.clip(page - smudge, 0, 255).astype(np.uint8)


def _dusty(page: Picture) -> Picture:
    page = page.copy()
    for y, x in np.random.default_rng(0).integers(0, (page.shape[0] - 4, page.shape[1] - 4), (40, 2)):
        page[y : y + 3, x : x + 3] = 40
    return page


CHANGES: dict[str, Callable[[Picture], Picture]] = {
    "light on dark": np.invert,
    "in a shadow": _shaded,
    "on ruled paper": _ruled,
    "on squared paper": _squared,
    "with a smudge": _smudged,
    "with dust": _dusty,
    "small": lambda page: np.asarray(Image.fromarray(page).reduce(2)),
    "large": lambda page: np.asarray(Image.fromarray(page).resize((page.shape[1] * 5, page.shape[0] * 5))),
}


@pytest.mark.parametrize("change", CHANGES)
def test_paper_and_light_do_not_matter(reader: _Reader, change: str) -> None:
    page = CHANGES[change](_page(LINES)[0])

    assert _texts(read_lines(page, reader)) == LINES  # type: ignore[arg-type]


@pytest.mark.parametrize("tilt", [-12, -5, 3, 12])
def test_tilted_lines_stay_lines(reader: _Reader, tilt: int) -> None:
    page = Image.fromarray(_page(("305", "746", "981"))[0]).rotate(
        -tilt, Image.Resampling.BILINEAR, True, fillcolor=245
    )

    found = read_lines(np.asarray(page), reader)  # type: ignore[arg-type]

    assert [len(line) for line in found] == [3, 3, 3]


@pytest.mark.parametrize("text", ["52", "746"])
def test_digits_that_touch_are_cut_apart(reader: _Reader, text: str) -> None:
    page, boxes = _page((text,), gap=-3)

    found = read_lines(page, reader)  # type: ignore[arg-type]

    assert _texts(found) == (text,)
    np.testing.assert_allclose([digit.box for digit in found[0]], boxes[0], atol=8)


def test_the_bar_of_a_five_is_no_digit_of_its_own(reader: _Reader) -> None:
    page, _ = _page(("5",))
    rows = np.flatnonzero((page < 128).any(axis=1))
    page[rows[0] + 9 : rows[0] + 12] = 245  # the bar is cut off

    assert [len(line) for line in read_lines(page, reader)] == [1]  # type: ignore[arg-type]


def test_a_broken_digit_is_one_where_the_reader_is_surer_of_it() -> None:
    page, boxes = _page(("747",))
    for left, _, width, _ in boxes[0][::2]:
        page[:, left + width // 2 : left + width // 2 + 5] = 245  # through the bar, and through what lies below

    with Classifier.load() as classifier:
        assert _texts(read_lines(page, classifier)) == ("747",)


@pytest.mark.parametrize("digit", "0869")
def test_no_digit_is_cut_through_a_loop(digit: str) -> None:
    page, _ = _page((digit,))
    wide = np.asarray(Image.fromarray(page).resize((page.shape[1] * 3 // 2, page.shape[0])))

    with Classifier.load() as classifier:
        assert [len(line) for line in read_lines(wide, classifier)] == [1]


def test_a_low_digit_beside_a_line_belongs_to_it(reader: _Reader) -> None:
    page, _ = _page(("30",))
    drawn = _digit("1")
    small = np.asarray(Image.fromarray(drawn).reduce(2))
    page[80 : 80 + small.shape[0], 250 : 250 + small.shape[1]] = small

    assert [len(line) for line in read_lines(page, reader)] == [3]  # type: ignore[arg-type]


@pytest.mark.parametrize("density", [0.002, 0.02, 0.1])
def test_dust_is_read_as_something_or_nothing(reader: _Reader, density: float) -> None:
    dust = np.where(np.random.default_rng(0).random((207, 621)) < density, 20, 230).astype(np.uint8)

    with suppress(BlankError):
        assert all(len(line) for line in read_lines(dust, reader))  # type: ignore[arg-type]


def test_a_texture_is_no_page(reader: _Reader) -> None:
    page = np.full((700, 1000), 240, np.uint8)
    for row in range(4, 14):
        page[row::20, 4::20] = page[row::20, 5::20] = page[row::20, 6::20] = 30

    with pytest.raises(BlankError, match="a texture of more than 1000 shapes"):
        read_lines(page, reader)  # type: ignore[arg-type]


def test_an_empty_page_is_refused(reader: _Reader) -> None:
    with pytest.raises(BlankError, match="blank"):
        read_lines(np.full((300, 200), 240, np.uint8), reader)  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (2, 2), (40, 2)])
def test_a_picture_of_fewer_than_3_x_3_pixels_is_refused(reader: _Reader, shape: tuple[int, int]) -> None:
    with pytest.raises(InputError, match=f"got {shape[1]} x {shape[0]} pixels, expected a picture of at least 3 x 3"):
        read_lines(np.full(shape, 254, np.uint8), reader)  # type: ignore[arg-type]


def test_each_digit_has_the_image_that_the_network_saw() -> None:
    """In MNIST's form, which the preparation takes as it is: what is kept of it is trained on as it was read."""
    reader = _Reader()
    for digit in (digit for line in read_lines(_page(LINES)[0], reader) for digit in line):  # type: ignore[arg-type]
        assert digit.image is not None
        assert reader.classify(digit.image).label == digit.prediction.label
        np.testing.assert_array_equal(to_mnist(digit.image), digit.image)


def test_boxes_of_a_picture_that_was_decoded_smaller_are_in_pixels_of_its_file() -> None:
    prediction = Prediction("7", 1.0, np.ones(1, np.float32), True, None)
    lines = [[Digit((1, 2, 3, 4), prediction)], [Digit((0, 5, 1, 1), prediction)]]

    assert [[digit.box for digit in line] for line in enlarged(lines, 4)] == [[(4, 8, 12, 16)], [(0, 20, 4, 4)]]
    assert [[digit.prediction for digit in line] for line in enlarged(lines, 4)] == [[prediction], [prediction]]
