from __future__ import annotations

import numpy as np
import pytest
from mnist_edge_runtime.errors import BlankError
from mnist_edge_runtime.preprocessing.mnist import to_mnist
from mnist_edge_trainer.handwriting import generator
from mnist_edge_trainer.handwriting.drawing import count_holes, draw_ink
from mnist_edge_trainer.handwriting.generator import generate, number_of
from mnist_edge_trainer.handwriting.styles import DIGITS, styles


def test_a_picture_depends_on_its_seed_and_number_alone() -> None:
    generate(7, 12)
    one, same = generate(7, 41), generate(7, 41)
    np.testing.assert_array_equal(one.picture, same.picture)
    np.testing.assert_array_equal(one.image, same.image)
    others = [generate(8, 41), generate(7, 41 + 90), generate(7, 41, held_out=True)]
    assert len({each.picture.tobytes() for each in (one, *others)}) == 4


def test_ten_numbers_in_a_row_are_the_ten_digits_and_all_styles_come_in_turn() -> None:
    assert [generate(0, number).style.digit for number in range(20, 30)] == list(DIGITS)
    names = [generate(0, 7 + 10 * turn).style.name for turn in range(len(styles("7", False)))]
    assert names == [style.name for style in styles("7", False)]


@pytest.mark.parametrize("held_out", [False, True])
def test_the_number_of_a_style(held_out: bool) -> None:
    for digit in "09":
        for style in styles(digit, held_out):
            assert generate(0, number_of(style, 1), held_out=held_out).style is style


def test_an_image_is_what_the_preprocessing_makes_of_the_picture() -> None:
    written = [generate(1, number) for number in range(60)]
    same = [np.array_equal(each.image, to_mnist(each.picture)) for each in written]
    assert np.mean(same) > 0.8, "the others lost a part there"
    assert {(each.image.dtype.name, each.image.shape) for each in written} == {("uint8", (28, 28))}


@pytest.mark.parametrize("held_out", [False, True])
def test_loops_are_open_and_closed_where_the_style_has_them(held_out: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A 4 whose arms meet is a 9, a 5 whose belly closes a 6: no jitter and no thick pen may make another digit."""
    drawn: list[int] = []

    def counted(*arguments: object) -> object:
        ink = draw_ink(*arguments)  # type: ignore[arg-type]
        drawn.append(count_holes(ink))
        return ink

    expected = {
        style: generator._holes(style) for digit in DIGITS for style in styles(digit, held_out)
    }  # before the count begins
    monkeypatch.setattr(generator, "draw_ink", counted)
    for number in range(150):
        style = generate(2, number, held_out=held_out).style
        assert drawn[-1] == expected[style], f"{style.digit} {style.name}, number {number}"


@pytest.mark.parametrize(
    ("digit", "name", "holes"),
    [("0", "oval", 1), ("0", "slashed", 2), ("1", "whole upstroke", 0), ("4", "open", 0), ("4", "closed", 1),
     ("5", "plain", 0), ("6", "plain", 1), ("8", "two circles", 2), ("9", "curled tail", 1)],
)  # fmt: skip
def test_holes_of_a_style(digit: str, name: str, holes: int) -> None:
    (style,) = (each for each in styles(digit, False) if each.name == name)
    assert generator._holes(style) == holes


def test_an_upstroke_is_no_bar() -> None:
    """However a hand leans, the upstroke of a 1 falls by more than half of its width, and a 7's bar does not."""
    random = np.random.default_rng(3)
    for digit, name in (("1", "long upstroke"), ("1", "short upstroke"), ("7", "plain"), ("7", "short bar")):
        (style,) = (each for each in styles(digit, False) if each.name == name)
        slopes = []
        for _ in range(200):
            hand = generator._legible(generator.draw_hand(random), style)
            way = generator.trace(style, hand, random)[0].points
            corner = way[: len(way) // 2][way[: len(way) // 2, 1].argmin()] if digit == "1" else way[way[:, 0].argmax()]
            slopes.append((way[0, 1] - corner[1]) / max(corner[0] - way[0, 0], 1e-9))
        if digit == "1":
            assert np.quantile(slopes, 0.01) > 0.5
        else:
            assert np.quantile(np.abs(slopes), 0.99) < 0.35


def test_a_part_that_the_preprocessing_loses_is_put_on_other_paper(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = generate(0, 8)

    def half(picture: np.ndarray) -> np.ndarray:
        return np.where(np.arange(28)[:, None] < 14, to_mnist(picture), 0).astype(np.uint8)

    monkeypatch.setattr(generator, "to_mnist", half)
    found = generate(0, 8).image
    assert found[14:].any()
    assert np.abs(found.astype(int) - whole.image).mean() < 20


def test_a_picture_in_which_the_preprocessing_finds_no_ink_has_the_image_of_its_ink(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = generate(0, 8)

    def blank(picture: object) -> None:
        raise BlankError("the picture is blank")

    monkeypatch.setattr(generator, "to_mnist", blank)
    assert np.abs(generate(0, 8).image.astype(int) - whole.image).mean() < 20
