from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from mnist_edge_runtime import InputError
from mnist_edge_runtime.preprocessing.grayscale import to_grayscale
from mnist_edge_trainer.demo.synthetic_digits import draw
from numpy.typing import NDArray
from PIL import Image

Picture = NDArray[np.uint8]

DRAWN = draw("3", size=80)[:, 10:66]
STROKES = DRAWN < 128
INK_ON_PAPER = np.where(STROKES, 0, 255).astype(np.uint8)

ARRAYS: dict[str, tuple[NDArray[Any], Picture]] = {
    "uint8": (DRAWN, DRAWN),
    "uint8, columns first": (np.asfortranarray(DRAWN), DRAWN),
    "bool": (~STROKES, INK_ON_PAPER),
    "uint16": (DRAWN.astype(np.uint16) * 257, DRAWN),
    "uint16, big-endian": ((DRAWN.astype(np.uint16) * 257).astype(">u2"), DRAWN),
    "float32, 0..1": (DRAWN.astype(np.float32) / 255, DRAWN),
    "float64, 0..1": (DRAWN / 255, DRAWN),
    "float32, 0..255": (DRAWN.astype(np.float32), DRAWN),
    "float64, 0..255": (DRAWN.astype(np.float64), DRAWN),
    "float64, big-endian": (DRAWN.astype(">f8"), DRAWN),
    "RGB": (np.stack([DRAWN] * 3, axis=-1), DRAWN),
    "RGBA": (np.dstack([DRAWN, DRAWN, DRAWN, np.full_like(DRAWN, 255)]), DRAWN),
    "RGBA, strokes on nothing": (np.dstack([np.zeros((80, 56, 3), np.uint8), 255 - DRAWN]), DRAWN),
    "RGB, floats": (np.stack([DRAWN / 255] * 3, axis=-1), DRAWN),
    "float16, 0..255": (DRAWN.astype(np.float16), DRAWN),
}


@pytest.mark.parametrize("kind", ARRAYS)
def test_arrays_come_out_grey(kind: str) -> None:
    array, expected = ARRAYS[kind]

    found = to_grayscale(array)

    assert found.dtype == np.uint8
    np.testing.assert_allclose(found.astype(int), expected, atol=0 if array.ndim == 2 else 1)


@pytest.mark.parametrize("seed", range(3))
def test_luma_is_what_pillow_makes_of_colours(seed: int) -> None:
    """To the bit, as the same picture can come as an array or as a file."""
    colours = np.random.default_rng(seed).integers(0, 256, (300, 400, 3), np.uint8)
    expected = (colours.astype(np.int64) @ [19595, 38470, 7471] + 32768) >> 16

    np.testing.assert_array_equal(to_grayscale(colours), expected)
    np.testing.assert_array_equal(to_grayscale(colours), np.asarray(Image.fromarray(colours).convert("L")))


def test_transparency_is_composited_on_white_in_integers() -> None:
    pixels = np.array([[[200, 200, 200, 100], [0, 0, 0, 1], [10, 10, 10, 255]]], np.uint8)

    assert to_grayscale(pixels).tolist() == [[(200 * 100 + 255 * 155 + 127) // 255, 254, 10]]


def test_green_is_lighter_than_red_and_red_than_blue() -> None:
    pure = np.eye(3, dtype=np.uint8)[np.newaxis] * np.uint8(255)

    assert to_grayscale(pure).tolist() == [[76, 150, 29]]


@pytest.mark.parametrize("ink", [0, 255])
def test_ink_on_transparency_shows_whether_it_is_black_or_white(ink: int) -> None:
    colours = np.full((*DRAWN.shape, 3), ink, np.uint8)

    found = to_grayscale(np.dstack([colours, 255 - DRAWN]))

    np.testing.assert_array_equal(found, DRAWN if ink == 0 else 255 - DRAWN)


@pytest.mark.parametrize("alpha", [0, 128, 255])
def test_a_transparency_that_is_the_same_everywhere_is_left_aside(alpha: int) -> None:
    array = np.dstack([DRAWN, DRAWN, DRAWN, np.full_like(DRAWN, alpha)])

    np.testing.assert_array_equal(to_grayscale(array), DRAWN)


@pytest.mark.parametrize("most", [255, 1023, 4095, 65535])
def test_values_of_16_bits_are_scaled_by_the_depth_that_they_need(most: int) -> None:
    array = np.rint(DRAWN * (most / 255)).astype(np.uint16)
    array[0, 0] = most

    np.testing.assert_allclose(to_grayscale(array)[1:].astype(int), DRAWN[1:], atol=1)


def test_colours_of_one_luma_are_told_apart() -> None:
    array = np.where(STROKES[..., np.newaxis], (170, 40, 40), (20, 117, 40)).astype(np.uint8)

    found = to_grayscale(array).astype(int)

    assert abs(found[STROKES].mean() - found[~STROKES].mean()) > 70


@pytest.mark.parametrize("channel", [0, 2])
def test_ink_as_light_as_its_noisy_ground_is_seen_in_the_channel_that_shows_it(channel: int) -> None:
    card = np.random.default_rng(0).integers(95, 116, (*DRAWN.shape, 3)).astype(np.uint8)
    # What one channel gains of luma the two others lose.
    shares, others = (0.299, 0.587, 0.114), [other for other in range(3) if other != channel]
    card[STROKES, channel] += 45
    for other in others:
        card[STROKES, other] -= np.uint8(45 * shares[channel] / sum(shares[each] for each in others))

    np.testing.assert_array_equal(to_grayscale(card), card[..., channel])


def test_a_channel_is_not_taken_for_a_little_more() -> None:
    faint = np.random.default_rng(0).integers(200, 221, (*DRAWN.shape, 3)).astype(np.uint8)
    faint[STROKES] -= np.array([40, 30, 20], np.uint8)

    np.testing.assert_array_equal(to_grayscale(faint), np.asarray(Image.fromarray(faint).convert("L")))


@pytest.mark.parametrize("shape", [(1, 2_000_001), (2_000_001, 1), (3, 700_000, 3)])
def test_every_pixel_of_a_strip_is_converted(shape: tuple[int, ...]) -> None:
    array = np.linspace(0, 1, int(np.prod(shape))).reshape(shape)

    found = to_grayscale(array)

    assert (found.shape, found.flat[0], found.flat[-1]) == (shape[:2], 0, 255)


def _with(value: float) -> NDArray[np.float64]:
    array = DRAWN / 255
    array[3, 3] = value
    return array


UNFIT_ARRAYS: dict[str, tuple[NDArray[Any], str]] = {
    "int64": (DRAWN.astype(np.int64), "int64"),
    "int8": (np.zeros((5, 5), np.int8), "int8"),
    "complex": (DRAWN.astype(complex), "complex128"),
    "text": (np.array([["a", "b"], ["c", "d"]]), "expected uint8"),
    "NaN": (_with(np.nan), "nan"),
    "infinity": (_with(np.inf), "inf"),
    "negative": (_with(-0.5), r"from -0\.5 to .*, expected 0\.\.1 or 0\.\.255"),
    "above 255": (_with(255.5), r"to 255\.5, expected 0\.\.1 or 0\.\.255"),
    "one axis": (DRAWN.ravel(), "shape"),
    "two channels": (np.stack([DRAWN] * 2, axis=-1), "shape"),
    "five channels": (np.stack([DRAWN] * 5, axis=-1), "shape"),
    "a batch": (DRAWN[np.newaxis], "shape"),
    "a number": (np.array(3, np.uint8), "shape"),
}


@pytest.mark.parametrize("kind", UNFIT_ARRAYS)
def test_unfit_arrays_are_refused(kind: str) -> None:
    array, message = UNFIT_ARRAYS[kind]

    with pytest.raises(InputError, match=message):
        to_grayscale(array)


@pytest.mark.parametrize("thing", [None, 3, "picture.png", DRAWN.tolist()], ids=lambda thing: type(thing).__name__)
def test_what_is_no_array_is_refused(thing: Any) -> None:
    with pytest.raises(InputError, match=f"got {type(thing).__name__}, expected a numpy array"):
        to_grayscale(thing)


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0), (0, 5, 3)])
def test_an_array_without_pixels_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="no pixels"):
        to_grayscale(np.zeros(shape, np.uint8))


def test_the_order_of_light_is_kept_through_every_strip() -> None:
    """An array larger than what is converted at a time."""
    array = np.linspace(0, 1, 3_000_000).reshape(1500, 2000)

    found = to_grayscale(array)

    np.testing.assert_array_equal(found, np.rint(array.astype(np.float32) * np.float32(255)))


@settings(max_examples=150, deadline=None)
@given(
    hnp.arrays(
        dtype=st.one_of(
            hnp.boolean_dtypes(), hnp.integer_dtypes(), hnp.unsigned_integer_dtypes(), hnp.floating_dtypes(),
            hnp.complex_number_dtypes(), hnp.unicode_string_dtypes(), hnp.datetime64_dtypes(),
        ),
        shape=hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=6),
    )
)  # fmt: skip
def test_any_array_becomes_grey_or_is_refused(array: NDArray[Any]) -> None:
    try:
        found = to_grayscale(array)
    except InputError:
        return
    assert (found.dtype, found.shape) == (np.dtype(np.uint8), array.shape[:2])
    assert array.dtype.kind in "buf"
    assert np.isfinite(array).all()
