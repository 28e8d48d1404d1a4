"""Read cameras, videos and streams through OpenCV."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..errors import InputError
from ..host import Host
from .frame import Image
from .frame_sources import Source

__all__ = ["OPENCV", "OpenCv"]

OPENCV = "opencv-python-headless>=4.5"  # as pip takes it
_OF_NUMPY_1 = ",<4.12"  # newer ones bring numpy 2, with which engines that are here may not run
_NO_VIDEO = "OpenCV opens no video there"


class OpenCv(Source):
    """A camera by its number, or a video or stream by its address."""

    def __init__(self, name: str, target: int | str, what: str, advice: str = "") -> None:
        """Prepare to read.

        Args:
            name: in messages.
            target: number, file or address.
            what: it is, to say for what OpenCV is needed.
            advice: where there is no camera.

        Raises:
            InputError: OpenCV is not installed.
        """
        super().__init__(name)
        self._target, self._advice = target, advice
        self.is_device = target == 0 or "://" in str(target)
        self.is_stored = not self.is_device
        self._cv2 = _cv2(name, what)

    def frames(self) -> Iterator[Image]:
        cv2 = self._cv2
        # Of a name, no other reader than that of videos: one would take its digits for the number of a picture.
        capture = cv2.VideoCapture(0) if self._target == 0 else cv2.VideoCapture(self._target, cv2.CAP_FFMPEG)
        number = 0
        try:
            if not capture.isOpened():
                raise InputError(f"{self.name}: {f'OpenCV finds none; {self._advice}' if self._advice else _NO_VIDEO}")
            while not self._closed:
                found, pixels = capture.read()
                if not found:
                    break
                number += 1
                yield cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY) if pixels.ndim == 3 else np.asarray(pixels, np.uint8)
        finally:
            capture.release()
        if self.is_device or not number:
            raise InputError(f"{self.name}: {'sends no more frames' if number else 'no frame is in it'}")


def _cv2(name: str, what: str) -> Any:
    """Return OpenCV, which is told to be silent before it is imported."""
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    try:
        import cv2
    except ImportError:
        host = Host.here()
        requirement = OPENCV + (_OF_NUMPY_1 if host.numpy.startswith("1.") else "")
        raise InputError(f"{name}: {what} needs OpenCV ({host.pip('install', requirement)})") from None
    return cv2
