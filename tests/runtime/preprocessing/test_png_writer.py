"""The PNG files that are written without Pillow."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from mnist_edge_runtime.preprocessing.image_io import load_picture
from mnist_edge_runtime.preprocessing.png_writer import png_bytes
from PIL import Image


def test_another_decoder_reads_the_same_pixels() -> None:
    for shape in ((1, 1), (3, 7), (448, 448)):
        pixels = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
        data = png_bytes(pixels)
        with Image.open(BytesIO(data)) as opened:
            assert (opened.format, opened.mode, opened.info) == ("PNG", "L", {})
            opened.load()
            np.testing.assert_array_equal(np.asarray(opened), pixels)
        if min(shape) > 2:
            np.testing.assert_array_equal(load_picture(BytesIO(data)), pixels)
