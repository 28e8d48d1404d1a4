from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from mnist_edge_runtime import InputError
from mnist_edge_runtime.service.frame import Frame, FrameError
from mnist_edge_runtime.service.region import Region
from numpy.typing import NDArray
from PIL import Image

Draw = Callable[..., NDArray[np.uint8]]


def test_pixels_are_cut(number_frame: Draw) -> None:
    pixels = number_frame("4")

    view = Frame(1, pixels).view(Region.parse("100,50,200,100"))

    assert (view.left, view.top, view.scale) == (100, 50, 1)
    assert np.array_equal(view.pixels, pixels[50:150, 100:300])
    assert np.array_equal(Frame(1, pixels).view().pixels, pixels)


@pytest.mark.parametrize(("width", "scale"), [(640, 1), (1279, 1), (1280, 2), (1920, 2), (2560, 4), (5200, 8)])
def test_a_large_jpeg_is_decoded_at_a_reduced_scale(number_jpeg: Callable[..., bytes], width: int, scale: int) -> None:
    view = Frame(1, number_jpeg("4", shape=(300, width))).view()

    assert view.scale == scale
    assert view.pixels.shape == (-(-300 // scale), -(-width // scale))


def test_a_strip_that_is_reduced_keeps_a_pixel(number_jpeg: Callable[..., bytes]) -> None:
    assert Frame(1, number_jpeg("4", shape=(4, 5200))).view().pixels.shape[0] >= 1


def test_a_small_region_of_a_large_jpeg_is_decoded_in_full(number_jpeg: Callable[..., bytes]) -> None:
    jpeg = number_jpeg("4", shape=(1080, 1920))

    assert Frame(1, jpeg).view(Region.parse("0.5,0.5,0.25,0.25"))[1:] == (960, 540, 1)
    view = Frame(1, jpeg).view(Region.parse("101,51,1400,800"))
    assert view[1:] == (100, 50, 2)
    assert view.pixels.shape == (401, 701)


def test_in_colour_luma_is_read() -> None:
    stream = io.BytesIO()
    Image.new("RGB", (64, 48), (255, 0, 0)).save(stream, "JPEG")

    assert abs(int(Frame(1, stream.getvalue()).view().pixels[0, 0]) - 76) <= 2


def test_what_cannot_be_read_is_told(number_jpeg: Callable[..., bytes]) -> None:
    whole = number_jpeg("4")
    for damaged in (b"", b"\xff\xd8", whole[:300], whole[: len(whole) // 2], b"no JPEG"):
        with pytest.raises(FrameError):
            Frame(1, damaged).view()
    with pytest.raises(FrameError, match="gone"):
        Frame(1, FrameError("gone")).view()
    with pytest.raises(InputError, match="is not inside the frame, which has 640 x 480 pixels"):
        Frame(1, whole).view(Region.parse("0,0,1000,10"))


def test_a_frame_is_shown_as_a_jpeg(number_frame: Draw, number_jpeg: Callable[..., bytes]) -> None:
    jpeg = number_jpeg("4")
    assert Frame(1, jpeg).jpeg() is jpeg

    pixels = number_frame("4")
    shown = np.asarray(Image.open(io.BytesIO(Frame(1, pixels).jpeg())), np.int64)
    assert np.abs(shown - pixels).mean() < 3
