from __future__ import annotations

import io

import numpy as np
import pytest
from mnist_edge_runtime.preprocessing.exif_orientation import orientation_of, upright
from PIL import Image, ImageOps

PIXELS = np.arange(6, dtype=np.uint8).reshape(2, 3)


def opened(orientation: int) -> Image.Image:
    picture, file = Image.fromarray(PIXELS), io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture.save(file, "PNG", exif=exif)
    return Image.open(file)


@pytest.mark.parametrize("orientation", range(10))
def test_it_is_turned_as_pillow_turns_it(orientation: int) -> None:
    """Values that EXIF does not have count as upright."""
    picture = opened(orientation)

    np.testing.assert_array_equal(
        upright(PIXELS, orientation_of(picture)), np.asarray(ImageOps.exif_transpose(picture))
    )


def test_broken_data_beside_a_picture_does_not_cost_the_picture() -> None:
    class Broken:
        def getexif(self) -> None:
            raise SyntaxError("not a TIFF file")

    assert orientation_of(Broken()) == 1
