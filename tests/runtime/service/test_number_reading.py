from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from mnist_edge_runtime import Classifier, Digit, read_lines
from mnist_edge_runtime.service import number_reading
from mnist_edge_runtime.service.number_reading import BLANK, View, read_number
from numpy.typing import NDArray

Draw = Callable[..., NDArray[np.uint8]]


@pytest.fixture(scope="module")
def classifier() -> Iterator[Classifier]:
    with Classifier.load() as loaded:
        yield loaded


def test_a_number_is_read_with_a_box_for_each_digit(classifier: Classifier, number_frame: Draw) -> None:
    reading = read_number(View(number_frame("0427")), classifier)

    assert (reading.text, reading.accepted, reading.reason) == ("0427", True, None)
    assert "".join(digit.prediction.label for digit in reading.digits) == "0427"
    for place, digit in enumerate(reading.digits):
        left, top, width, height = digit.box
        assert 60 + place * 96 <= left <= left + width <= 60 + place * 96 + 120
        assert 150 <= top <= top + height <= 270


def test_boxes_are_in_pixels_of_the_frame(classifier: Classifier, number_frame: Draw) -> None:
    frame = number_frame("42")
    cut = frame[100:400:1, 30:600]

    whole = read_number(View(frame), classifier)
    part = read_number(View(cut, 30, 100), classifier)

    assert part.text == whole.text
    for one, other in zip(whole.digits, part.digits, strict=True):
        assert np.abs(np.subtract(one.box, other.box)).max() <= 2
    half = read_number(View(frame[::2, ::2], scale=2), classifier)
    assert np.abs(np.subtract(half.digits[0].box, whole.digits[0].box)).max() <= 6


def test_paper_in_uneven_light_is_blank(classifier: Classifier) -> None:
    """Corners that are darker than the middle make a ring, which alone would be read as 0."""
    y, x = np.mgrid[-1:1:480j, -1:1:640j]
    random = np.random.default_rng(3)
    for depth in (8, 16, 24, 40):
        frame = 220 - depth * (x * x + y * y) + 0.5 * depth * x + random.normal(0, 2, x.shape)
        reading = read_number(View(np.clip(frame, 0, 255).astype(np.uint8)), classifier)
        assert (reading.text, reading.accepted, reading.reason) == ("", False, BLANK)


def test_a_digit_that_the_edge_cuts_off_is_not_accepted(classifier: Classifier, number_frame: Draw) -> None:
    """Also where no more of it is seen than what is taken for an edge of the paper."""
    for left in (370, 385, 395, 405, 470, -40, -70):
        frame = np.ascontiguousarray(number_frame("427", shape=(480, 840), left=left + 100)[:, 100:740])
        reading = read_number(View(frame), classifier)
        assert (reading.accepted, reading.reason) == (False, "the number is cut off by the edge of the view"), left


def test_two_numbers_are_not_taken_for_one(classifier: Classifier, number_frame: Draw) -> None:
    both = np.minimum(number_frame("42", top=60), number_frame("17", top=280))

    reading = read_number(View(both), classifier)

    assert (reading.accepted, reading.reason) == (False, "2 lines of digits are in view, expected one number")


def test_a_small_line_beside_the_number_is_left_aside(classifier: Classifier, number_frame: Draw) -> None:
    both = np.minimum(number_frame("42", size=200, top=40), number_frame("17", size=70, top=380))

    reading = read_number(View(both), classifier)

    assert (reading.text, reading.accepted) == ("42", True)


def test_what_is_unsure_is_told_by_its_place(
    classifier: Classifier, number_frame: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(pixels: NDArray[np.uint8], classifier: Classifier) -> list[list[Digit]]:
        first, second = read_lines(pixels, classifier)[0]
        doubtful = second.prediction._replace(accepted=False, reason="confidence below the threshold")
        return [[first, replace(second, prediction=doubtful)]]

    monkeypatch.setattr(number_reading, "read_lines", read)
    reading = read_number(View(number_frame("42")), classifier)

    assert (reading.text, reading.accepted, reading.reason) == ("42", False, "unsure of digit 2")


def test_digits_that_touch_are_told_since_a_wide_one_may_have_been_cut(
    classifier: Classifier, number_frame: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(pixels: NDArray[np.uint8], classifier: Classifier) -> list[list[Digit]]:
        (line,) = read_lines(pixels, classifier)
        left, top, width, height = line[2].box
        first, second = ((x, top, width // 2, height) for x in (left, left + width // 2))
        return [[*line[:2], replace(line[2], box=first), replace(line[2], box=second), *line[3:]]]

    frame = View(number_frame("0427"))
    assert read_number(frame, classifier).accepted
    monkeypatch.setattr(number_reading, "read_lines", read)

    reading = read_number(frame, classifier)

    assert (reading.text, reading.accepted, reading.reason) == ("04227", False, "digits 3 and 4 touch")
