from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from mnist_edge_runtime import BlankError, Classifier, InputError, UsageError
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.preprocessing import mnist
from mnist_edge_trainer.demo.synthetic_digits import draw
from numpy.typing import NDArray
from PIL import Image

Picture = NDArray[np.uint8]

DIGITS = tuple("0123456789")
PAPER = 245  # of `draw`
ALIKE = 12  # by `_distance`: above what one more or one less pixel of width does, below what another digit does


@cache
def _drawn(digit: str, *, size: int = 160, tilt: float = 0.0) -> Picture:
    picture = draw(digit, size=size, tilt=tilt)
    picture.setflags(write=False)
    return picture


def _distance(found: Picture, expected: Picture) -> float:
    """Return the mean difference in grey levels, leaving aside a shift by one pixel.

    A digit is placed by whole pixels, so its place may change where its centre lies between two of them.
    """
    shifted = (np.roll(expected, shift, axis=(0, 1)) for shift in product((-1, 0, 1), repeat=2))
    return min(float(np.abs(found.astype(float) - image).mean()) for image in shifted)


def _is_alike(found: Picture, expected: Picture) -> bool:
    return _distance(found, expected) < ALIKE


def _box(image: Picture) -> tuple[int, int]:
    """Return height and width of the ink."""
    rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
    return int(rows[-1] - rows[0] + 1), int(columns[-1] - columns[0] + 1)


def _rectangle(height: int, width: int) -> Picture:
    """Return a black rectangle on a white page."""
    return np.pad(np.zeros((height, width), np.uint8), 40, constant_values=255)


@pytest.mark.parametrize("digit", DIGITS)
def test_light_on_dark_is_the_same_as_dark_on_light(digit: str) -> None:
    picture = _drawn(digit)

    np.testing.assert_array_equal(mnist.to_mnist(np.invert(picture)), mnist.to_mnist(picture))


@pytest.mark.parametrize("margins", [((0, 160), (0, 160)), ((50, 0), (140, 10)), ((0, 0), (90, 0))], ids=str)
@pytest.mark.parametrize("digit", DIGITS)
def test_it_does_not_matter_where_the_digit_lies(digit: str, margins: tuple[tuple[int, int], ...]) -> None:
    picture = _drawn(digit)
    page = np.pad(picture, margins, constant_values=PAPER)

    np.testing.assert_array_equal(mnist.to_mnist(page), mnist.to_mnist(picture))


@pytest.mark.parametrize("margin", [200, 300, 1500])
@pytest.mark.parametrize("digit", DIGITS)
def test_it_hardly_matters_how_large_the_page_is(digit: str, margin: int) -> None:
    """A larger page is looked at in blocks."""
    page = np.pad(_drawn(digit), ((0, margin), (margin // 3, margin)), constant_values=PAPER)

    assert _is_alike(mnist.to_mnist(page), mnist.to_mnist(_drawn(digit)))


def test_different_digits_are_not_alike() -> None:
    found = [mnist.to_mnist(_drawn(digit)) for digit in DIGITS]

    assert not any(_is_alike(one, other) for one, other in combinations(found, 2))


@pytest.mark.parametrize("size", [64, 100, 240, 480])
@pytest.mark.parametrize("digit", DIGITS)
def test_it_does_not_matter_how_large_the_digit_is(digit: str, size: int) -> None:
    assert _is_alike(mnist.to_mnist(_drawn(digit, size=size)), mnist.to_mnist(_drawn(digit)))


@pytest.mark.parametrize(("paper", "ink"), [(255, 0), (200, 60), (120, 20), (180, 120), (30, 250)])
@pytest.mark.parametrize("digit", DIGITS)
def test_it_does_not_matter_how_strong_the_contrast_is(digit: str, paper: int, ink: int) -> None:
    picture = np.rint(np.interp(_drawn(digit), (30, PAPER), (ink, paper))).astype(np.uint8)

    assert _is_alike(mnist.to_mnist(picture), mnist.to_mnist(_drawn(digit)))


@pytest.mark.parametrize("digit", DIGITS)
def test_the_grain_of_the_paper_does_not_matter(digit: str) -> None:
    grain = np.random.default_rng(0).normal(0, 6, (160, 160))
    picture = np.clip(_drawn(digit) + grain, 0, 255).astype(np.uint8)

    assert _is_alike(mnist.to_mnist(picture), mnist.to_mnist(_drawn(digit)))


@pytest.mark.parametrize("tilt", [-30, 0, 20])
@pytest.mark.parametrize("digit", DIGITS)
def test_the_digit_fills_a_box_of_20_around_its_centre_of_mass(digit: str, tilt: int) -> None:
    image = mnist.to_mnist(_drawn(digit, tilt=tilt))
    mass = image.astype(float)

    assert (image.shape, image.dtype) == ((28, 28), np.dtype(np.uint8))
    assert max(_box(image)) == 20
    assert image.max() == 255
    assert image[0, 0] == 0
    assert mass.sum(axis=1) @ np.arange(28) / mass.sum() == pytest.approx(14, abs=1)
    assert mass.sum(axis=0) @ np.arange(28) / mass.sum() == pytest.approx(14, abs=1)


@pytest.mark.parametrize(
    ("height", "width", "box"),
    [
        (300, 100, (20, 7)),
        (100, 300, (7, 20)),
        (200, 200, (20, 20)),
        (60, 45, (20, 15)),
        (12, 6, (20, 10)),
    ],
)
def test_the_aspect_is_kept(height: int, width: int, box: tuple[int, int]) -> None:
    assert _box(mnist.to_mnist(_rectangle(height, width))) == box


def test_a_digit_heavy_on_one_side_stays_inside_the_image() -> None:
    page = np.full((200, 200), 255, np.uint8)
    page[20:180, 20:40] = 0  # nearly all the ink
    page[100:102, 20:180] = 0

    image = mnist.to_mnist(page)

    assert _box(image) == (20, 20)


def test_thin_strokes_stay_white() -> None:
    page = np.full((1000, 1000), 255, np.uint8)
    page[100:900, 500] = 0
    page[500, 100:900] = 0

    assert mnist.to_mnist(page).max() == 255


def _dots(pitch: int, radius: float) -> NDArray[np.bool_]:
    """Return a page of dots of so many pixels, in rows that are shifted by half of the distance in turn."""
    y, x = np.mgrid[:640, :640]
    x = x + y // pitch % 2 * (pitch // 2)
    return np.asarray(np.hypot(y % pitch - pitch / 2, x % pitch - pitch / 2) <= radius)


@pytest.mark.parametrize(
    ("digit", "ground"), [*((digit, None) for digit in DIGITS), ("3", 1.5), ("5", 1.5), ("9", 1.5)]
)
def test_dots_are_the_strokes_that_they_make_up(digit: str, ground: float | None) -> None:
    """A dotted digit, and one of a printer's screen, which has smaller dots on the ground."""
    drawn = _drawn(digit, size=640)
    dots = drawn.copy()
    dots[(drawn < 128) & ~_dots(14, 5.5)] = PAPER
    if ground:
        dots[(drawn >= 128) & _dots(14, ground)] = drawn.min()

    with Classifier.load() as classifier:
        assert classifier.classify(mnist.to_mnist(dots)).label == digit


@pytest.mark.parametrize(("digit", "squared"), [*((digit, False) for digit in DIGITS), ("2", True), ("5", True)])
def test_lines_behind_one_digit_go(digit: str, squared: bool) -> None:
    plain = np.pad(_drawn(digit, size=320), 40, constant_values=PAPER)
    page = plain.copy()
    for start in range(15, 400, 95):
        page[start : start + 3] = np.minimum(page[start : start + 3], 130)
        if squared:
            page[:, start : start + 3] = np.minimum(page[:, start : start + 3], 130)

    assert _is_alike(mnist.to_mnist(page), mnist.to_mnist(plain))


@pytest.mark.parametrize("digit", ["2", "5", "7"])
@pytest.mark.parametrize("size", [40, 200])
def test_a_bar_from_border_to_border_is_no_line(digit: str, size: int) -> None:
    drawn = draw(digit, size=size, pen=0.012)
    rows, columns = np.flatnonzero((drawn < 200).any(axis=1)), np.flatnonzero((drawn < 200).any(axis=0))

    cropped = drawn[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]

    assert _is_alike(mnist.to_mnist(cropped), mnist.to_mnist(drawn))


@pytest.mark.parametrize("digit", DIGITS)
def test_mnist_form_passes_bit_for_bit(digit: str) -> None:
    image = np.roll(mnist.to_mnist(_drawn(digit)), (-1, -1), axis=(0, 1))  # where no centring would leave it
    image[13, 13] = 99
    image[26, 26] = 3  # fainter than what counts as ink

    found = mnist.to_mnist(image)

    np.testing.assert_array_equal(found, image)
    assert not np.shares_memory(found, image)


def test_dark_on_light_of_28_by_28_is_brought_to_mnist_form() -> None:
    image = mnist.to_mnist(_drawn("3"))

    assert _is_alike(mnist.to_mnist(np.invert(image)), image)


def test_the_picture_is_not_changed() -> None:
    picture = draw("5")

    mnist.to_mnist(picture)

    np.testing.assert_array_equal(picture, draw("5"))


@pytest.mark.parametrize("order", [np.asfortranarray, lambda picture: np.repeat(picture, 2, axis=1)[:, ::2]])
def test_the_order_in_memory_does_not_matter(order: Callable[[Picture], Picture]) -> None:
    np.testing.assert_array_equal(mnist.to_mnist(order(_drawn("6"))), mnist.to_mnist(_drawn("6")))


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((28, 28), np.uint8),
        np.full((28, 28), 255, np.uint8),
        np.full((100, 60), 128, np.uint8),
        np.random.default_rng(0).integers(120, 128, (50, 50), np.uint8),
        np.pad(np.full((8, 8), 10, np.uint8), 10),
        np.zeros((3, 3), np.uint8),
    ],
    ids=["black", "white", "grey", "grain", "too faint", "tiny"],
)
def test_a_blank_picture_is_refused(picture: Picture) -> None:
    with pytest.raises(BlankError, match="blank"):
        mnist.to_mnist(picture)


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (_drawn("3").astype(np.int64), "got int64, expected uint8"),
        (np.zeros(784, np.uint8), r"got shape \(784,\), expected \(height, width\)"),
        (np.zeros((2, 50), np.uint8), "got 50 x 2 pixels, expected .* at least 3 x 3"),
        (np.zeros((0, 0), np.uint8), "no pixels"),
        (_drawn("3").tolist(), "got list, expected a numpy array"),
        (None, "got NoneType, expected a numpy array"),
    ],
    ids=["int", "flat", "too low", "empty", "list", "None"],
)
def test_what_is_no_picture_is_refused(picture: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        mnist.to_mnist(picture)


@pytest.mark.parametrize(
    "change",
    [
        lambda picture: picture / 255,
        lambda picture: picture.astype(np.uint16) * 257,
        lambda picture: np.stack([picture] * 3, axis=-1),
    ],
    ids=["float", "uint16", "colour"],
)
def test_arrays_of_other_kinds_are_the_same_picture(change: Callable[[Picture], NDArray[Any]]) -> None:
    assert _is_alike(mnist.to_mnist(change(_drawn("3"))), mnist.to_mnist(_drawn("3")))


@settings(max_examples=100, deadline=None)
@given(
    hnp.arrays(np.uint8, hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=40)),
    st.sampled_from(mnist.PREPROCESSING),
)
def test_any_picture_comes_out_in_mnist_form_or_is_refused(picture: Picture, preprocess: str) -> None:
    try:
        found = mnist.to_mnist(picture, preprocess)
    except InputError:
        return
    assert (found.dtype, found.shape) == (np.dtype(np.uint8), (28, 28))
    assert found.max() == 255 or preprocess != "mnist"


class TestPreprocess:
    def test_none_takes_28_by_28_as_they_are(self) -> None:
        image = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)

        np.testing.assert_array_equal(mnist.to_mnist(image, "none"), image)
        np.testing.assert_array_equal(mnist.to_mnist(np.zeros_like(image), "none"), 0)

    def test_none_refuses_another_size(self) -> None:
        with pytest.raises(InputError, match="got 160 x 160 pixels, expected 28 x 28"):
            mnist.to_mnist(_drawn("3"), "none")

    def test_mnist_centres_what_auto_leaves_alone(self) -> None:
        image = mnist.to_mnist(_drawn("3"))
        shifted = np.roll(image, (-1, -1), axis=(0, 1))

        np.testing.assert_array_equal(mnist.to_mnist(shifted), shifted)
        assert _is_alike(mnist.to_mnist(shifted, "mnist"), image)

    @pytest.mark.parametrize("size", [10, 15, 26])
    def test_light_on_dark_of_another_size_is_not_in_mnist_form(self, size: int) -> None:
        """A scan of 28 x 28 pixels that the digit fills, or in which it is small."""
        page = np.zeros((28, 28), np.uint8)
        small = np.asarray(Image.fromarray(mnist.to_mnist(_drawn("3"))[4:24, 4:24]).resize((size, size)))
        top = (28 - size) // 2
        page[top : top + size, top : top + size] = small

        found = mnist.to_mnist(page)

        np.testing.assert_array_equal(found, mnist.to_mnist(page, "mnist"))
        assert max(_box(found)) == 20

    def test_light_on_dark_off_the_centre_is_not_in_mnist_form(self) -> None:
        image = mnist.to_mnist(_drawn("3"))
        shifted = np.roll(image, (3, -2), axis=(0, 1))

        assert _is_alike(mnist.to_mnist(shifted), image)
        assert not np.array_equal(mnist.to_mnist(shifted), shifted)

    def test_another_word_is_refused(self) -> None:
        with pytest.raises(UsageError, match="auto, mnist, none"):
            mnist.to_mnist(_drawn("3"), "opencv")


@pytest.mark.parametrize("digit", DIGITS)
@pytest.mark.parametrize(
    "light",
    [
        lambda y, x: 1 - 0.6 * x,
        lambda y, x: 0.4 + 0.5 * y,
        lambda y, x: 1 - 0.2 * ((2 * x - 1) ** 2 + (2 * y - 1) ** 2),
        lambda y, x: 1 - 0.5 / (1 + np.exp(-40 * (x + y - 0.8))),
    ],
    ids=["from the left", "from below", "vignette", "a shadow"],
)
@pytest.mark.parametrize("inverted", [False, True], ids=["dark on light", "light on dark"])
def test_uneven_light_does_not_matter(digit: str, light: Callable[..., NDArray[np.float64]], inverted: bool) -> None:
    y, x = np.mgrid[0:1:160j, 0:1:160j]
    picture = (_drawn(digit) * light(y, x)).astype(np.uint8)

    found = mnist.to_mnist(np.invert(picture) if inverted else picture)

    assert _is_alike(found, mnist.to_mnist(_drawn(digit)))


@pytest.mark.parametrize("digit", DIGITS)
def test_specks_are_dropped(digit: str) -> None:
    random = np.random.default_rng(int(digit))
    page = np.pad(_drawn(digit), 60, constant_values=PAPER)
    for y, x in random.integers(0, 277, (12, 2)):
        if page[max(0, y - 8) : y + 11, max(0, x - 8) : x + 11].min() > 200:
            page[y : y + 3, x : x + 3] = 0

    assert _is_alike(mnist.to_mnist(page), mnist.to_mnist(_drawn(digit)))


@pytest.mark.parametrize("digit", DIGITS)
def test_the_edge_of_a_table_is_dropped(digit: str) -> None:
    page = np.pad(_drawn(digit), ((0, 30), (60, 60)), constant_values=PAPER)
    page = np.pad(page, ((25, 0), (0, 30)), constant_values=60)

    assert _is_alike(mnist.to_mnist(page), mnist.to_mnist(_drawn(digit)))


@pytest.mark.parametrize("digit", "0235689")
def test_a_small_digit_on_a_large_page_is_seen_in_full(digit: str) -> None:
    page = np.full((1600, 2400), PAPER, np.uint8)
    page[900:1000, 300:400] = _drawn(digit, size=100)

    assert _is_alike(mnist.to_mnist(page), mnist.to_mnist(_drawn(digit, size=100)))


@pytest.mark.parametrize("scale", [1, 16, 0.001])
def test_ink_of_any_strength_is_normalised(scale: float) -> None:
    ink = PAPER - _drawn("4").astype(float)

    assert _is_alike(mnist.normalize_size(ink * scale), mnist.to_mnist(_drawn("4")))


@pytest.mark.parametrize("ink", [np.zeros((8, 8)), np.full((8, 8), -1.0)], ids=["none", "negative"])
def test_there_is_nothing_to_normalise_without_ink(ink: NDArray[np.float64]) -> None:
    with pytest.raises(InputError, match="no ink"):
        mnist.normalize_size(ink)


def test_golden_images_are_drawn_as_a_person_would(model_file: Path) -> None:
    image = sealed_model.read(model_file).golden.images[0]
    picture = mnist.to_picture(image)

    assert picture.dtype == np.uint8
    assert min(picture.shape) > 100
    assert picture[0, 0] == 255
    assert picture.min() == 255 - image.max()
    assert picture.shape != image.shape
