"""Decode one frame of a camera, at the reduced scale that its view needs."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from ..preprocessing.grayscale import check_size
from ..preprocessing.pillow_decoder import pillow
from .number_reading import View
from .region import Region

__all__ = ["Frame", "FrameError", "Image"]

_ENOUGH = 640  # pixels of the longer side of a view; one of twice as many is decoded at half its scale
_QUALITY = 80  # of the JPEGs that are shown


class FrameError(InputError):
    """A frame that cannot be read, which the next one may be."""


Image = bytes | NDArray[np.uint8] | FrameError  # a JPEG, grey pixels (H, W), or why a frame cannot be read


@dataclass(frozen=True)
class Frame:
    """A frame and its number, from 1 on."""

    number: int
    image: Image

    def view(self, region: Region | None = None) -> View:
        """Return the part of the frame that is read, in grey.

        Raises:
            FrameError: the frame is damaged or too large.
            InputError: the region is not inside it.
        """
        if isinstance(self.image, FrameError):
            raise self.image
        if isinstance(self.image, np.ndarray):
            height, width = self.image.shape
            left, top, right, bottom = _region(region, width, height)
            return View(self.image[top:bottom, left:right], left, top)
        try:
            decoder = _decoder(self.image)
            width, height = decoder.size
            check_size(width, height)
        except InputError as error:
            raise FrameError(str(error)) from None
        left, top, right, bottom = _region(region, width, height)
        scale = next((by for by in (8, 4, 2) if max(right - left, bottom - top) >= _ENOUGH * by), 1)
        try:
            decoder.draft("L", (max(1, width // scale), max(1, height // scale)))
            pixels = np.asarray(decoder.convert("L"))
        except Exception as error:  # decoders raise many kinds
            raise FrameError(f"its JPEG is damaged ({error})") from None
        scale = round(width / pixels.shape[1])  # as the decoder took it
        rows, columns = slice(top // scale, -(-bottom // scale)), slice(left // scale, -(-right // scale))
        return View(pixels[rows, columns], columns.start * scale, rows.start * scale, scale)

    def jpeg(self) -> bytes:
        """Return the frame as it is shown.

        Raises:
            FrameError: it cannot be read.
        """
        if isinstance(self.image, bytes):
            return self.image
        if isinstance(self.image, FrameError):
            raise self.image
        stream = io.BytesIO()
        pillow().fromarray(self.image).save(stream, "JPEG", quality=_QUALITY)
        return stream.getvalue()


def _decoder(jpeg: bytes) -> Any:
    pillow()
    from PIL import JpegImagePlugin

    try:
        return JpegImagePlugin.JpegImageFile(io.BytesIO(jpeg))
    except (OSError, SyntaxError) as error:
        raise FrameError(f"it is no whole JPEG ({error})") from None


def _region(region: Region | None, width: int, height: int) -> tuple[int, int, int, int]:
    return region.within(width, height) if region else (0, 0, width, height)
