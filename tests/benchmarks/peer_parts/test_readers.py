from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mnist_edge_runtime import Classifier
from mnist_edge_trainer.demo.synthetic_digits import draw


@pytest.fixture(scope="module")
def classifier() -> Iterator[Classifier]:
    with Classifier.load("small") as classifier:
        yield classifier


def test_answers_are_counted_as_right_none_wrong_and_extra(part: Callable[[str], Any]) -> None:
    readers = part("readers")
    answers = {
        "a": readers.Answer("1", "1", True),
        "b": readers.Answer("2", "7", True),
        "c": readers.Answer("3", "", False),
        "d": readers.Answer("", "8", True),
        "e": readers.Answer("4", "44", False),
    }

    assert readers.counts(answers) == {"of": 4, "right": 1, "none": 1, "extra": 1, "wrong": 2}
    accepting = readers.counts(answers, accepts=True)
    assert (accepting["accepted"], accepting["accepted_wrong"]) == (2, 2)


def test_printed_text_readers_get_dark_ink_some_height_and_a_margin(part: Callable[[str], Any]) -> None:
    image = np.zeros((28, 28), np.uint8)
    image[4:24, 12:16] = 255

    picture = part("readers").prepared(image)

    assert picture.shape == (64 + 2 * 16, 64 + 2 * 16)
    assert (picture[:16] == 255).all()
    assert picture[48, 48] < 20


def test_a_large_dark_on_light_picture_keeps_its_pixels(part: Callable[[str], Any]) -> None:
    page = np.full((100, 300), 240, np.uint8)
    page[40:60, 100:200] = 30

    picture = part("readers").prepared(page)

    assert (picture[25:-25, 25:-25] == page).all()


def test_a_large_picture_is_scaled_down(part: Callable[[str], Any]) -> None:
    picture = part("readers").prepared(np.full((1_000, 4_000), 240, np.uint8))

    assert picture.shape == (500 + 2 * 125, 2_000 + 2 * 125)


def test_boxes_are_read_row_by_row_from_the_left(part: Callable[[str], Any]) -> None:
    boxes = [(200, 12, 240, 60, "3"), (0, 100, 40, 140, "4"), (100, 0, 140, 50, "2"), (0, 8, 40, 55, "1")]

    assert part("readers").rows_of_boxes(boxes) == ["123", "4"]
    assert part("readers").rows_of_boxes([]) == []


def test_the_tutorial_reads_a_clean_page(part: Callable[[str], Any], classifier: Classifier) -> None:
    page = np.full((400, 700), 245, np.uint8)
    for row, text in enumerate(("3805", "174")):
        for column, digit in enumerate(text):
            page[20 + 190 * row : 180 + 190 * row, 20 + 165 * column : 180 + 165 * column] = draw(digit, size=160)

    assert part("readers").opencv_lines(classifier, page) == ["3805", "174"]


def test_without_tesseract_its_rows_are_left_out(
    part: Callable[[str], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    found = part("readers").tesseract(part("session").Session(tmp_path, tmp_path))

    assert found == {"single": {}, "lines": {}, "version": ""}
    assert "apt-get install tesseract-ocr" in capsys.readouterr().err
