"""Open a source of frames: a Pi's camera program, OpenCV's cameras, videos and streams, a folder, MJPEG on stdin."""

from __future__ import annotations

import io
import os
import re
import shutil
import stat
import subprocess
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..child_process import how_it_ended
from ..errors import InputError
from ..host import Host
from ..preprocessing import jpeg_stream
from ..preprocessing.file_kinds import NAMES
from ..preprocessing.image_io import load_picture, picture_files
from ..text_output import printable
from .frame import FrameError, Image

__all__ = ["CAMERA", "CAMERA_PROGRAMS", "Source", "open_source"]

CAMERA = "camera"
CAMERA_PROGRAMS = ("rpicam-vid", "libcamera-vid")  # of a Pi; the second is its name up to 2023
_OPTIONS = ("-n", "-t", "0", "--codec", "mjpeg", "-o", "-")  # no preview, no end
_OPENCV = "opencv-python-headless"
_MAX_BYTES = 16 * 1024 * 1024  # of one JPEG
_PADDING = b" \t\r\n\0"
_STREAM = re.compile(r"(rtsps?|https?)://", re.I)
_PASSWORD = re.compile(r"(?<=://).*@")  # a password may have any of / and @ in it
_NOT_OPENED = "{}: OpenCV finds none; connect one, or name a --source: a folder, a video, an rtsp:// address or -"
_NO_VIDEO = "OpenCV opens no video there"
_STOP_SECONDS = 2.0  # which a camera program has to end


class Source(ABC):
    """Where frames come from.

    Attributes:
        name: in messages.
        is_live: frames come whether they are taken or not, and those that nobody takes in time are dropped.
        is_device: a camera, which is started again when it ends.
    """

    is_live = is_device = False

    def __init__(self, name: str) -> None:
        self.name = name
        self._closed = False

    @abstractmethod
    def frames(self) -> Iterator[Image]:
        """Yield the frames as they come.

        Raises:
            InputError: it does not open, or has ended in another way than by its end.
        """

    def close(self) -> None:
        """End the frames that another thread takes, a camera program's immediately, others with the next one."""
        self._closed = True


def open_source(name: str) -> Source:
    """Return the source that the command line names: "camera", "-", a folder, a video or the address of a stream.

    Raises:
        InputError: there is no such source, or what it needs is not installed.
    """
    if name == CAMERA:
        programs = (found for program in CAMERA_PROGRAMS if (found := shutil.which(program)))
        program = next(programs, None)
        return _Program(program) if program else _OpenCv("camera", 0)
    if name == "-":
        return _Stdin()
    if _STREAM.match(name):
        return _OpenCv(_PASSWORD.sub("", name), name)
    if os.path.isdir(name):
        return _Folder(name)
    if not os.path.exists(name):
        raise InputError(f"{name}: there is no such file or folder; name a folder, a video, an rtsp:// address or -")
    return _OpenCv(name, name)


def _jpegs(stream: io.BufferedIOBase, name: str) -> Iterator[bytes]:
    """Yield the JPEGs that follow each other on a stream."""
    number = 0
    try:
        for jpeg in jpeg_stream.split(b"", stream, max_bytes=_MAX_BYTES, padding=_PADDING):
            if jpeg:
                number += 1
                yield jpeg
    except InputError as error:
        if not number:
            expected = "expected JPEGs one after the other, as rpicam-vid --codec mjpeg -o - writes them"
            raise InputError(f"{name}: no JPEG begins there; {expected}") from None
        raise InputError(f"{name}: after frame {number}: {error}") from None


class _Program(Source):
    """A Pi's camera program, which writes JPEGs."""

    is_live = is_device = True

    def __init__(self, program: str) -> None:
        super().__init__(os.path.basename(program))
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None

    def frames(self) -> Iterator[Image]:
        said: deque[str] = deque(maxlen=5)  # it tells of every frame, for as long as it runs
        try:
            # In a session of its own, so that Ctrl-C reaches this process alone, which ends it.
            process = self._process = subprocess.Popen(
                [self._program, *_OPTIONS],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise InputError(f"{self._program}: {error.strerror}") from None
        assert process.stdout
        assert process.stderr
        listener = threading.Thread(target=_listen, args=(process.stderr, said), daemon=True)
        listener.start()
        try:
            if not self._closed:
                yield from _jpegs(io.BufferedReader(process.stdout.raw), self.name)  # type: ignore[attr-defined]
        finally:
            self._end(process)
            listener.join(_STOP_SECONDS)
        last = f": {printable(said[-1])}" if said else ""
        raise InputError(f"{self.name} {how_it_ended(process.returncode)}{last}")

    def close(self) -> None:
        super().close()
        if self._process:
            self._end(self._process)

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        """Wait for the end of the program, which has closed its output or is asked to end."""
        try:
            if self._closed:
                process.terminate()
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _listen(stderr: Any, said: deque[str]) -> None:
    for line in iter(lambda: stderr.readline(4096), b""):
        if text := line.decode(errors="replace").strip():
            said.append(text)


class _Stdin(Source):
    """JPEGs on stdin; those of a file are not live."""

    def __init__(self) -> None:
        super().__init__("stdin")
        self.is_live = not stat.S_ISREG(os.fstat(0).st_mode)

    def frames(self) -> Iterator[Image]:
        # Not sys.stdin, whose lock a thread that waits for a frame would keep at the end of the process.
        yield from _jpegs(io.BufferedReader(io.FileIO(0, closefd=False)), self.name)


class _Folder(Source):
    """The pictures in a folder, in the order of their names."""

    def frames(self) -> Iterator[Image]:
        empty = True
        for file in picture_files(Path(self.name), on_error=_raise):
            empty = False
            try:
                yield load_picture(file, whole=True)
            except InputError as error:
                yield FrameError(f"{file}: {error}")
        if empty:
            raise InputError(f"{self.name}: a folder without pictures ({NAMES})")


def _raise(error: OSError) -> None:
    raise InputError(f"{error.filename}: {error.strerror}")


class _OpenCv(Source):
    """A camera by its number, or a video or stream by its address, through OpenCV."""

    def __init__(self, name: str, target: int | str) -> None:
        super().__init__(name)
        self._target = target
        self.is_device = target == 0 or bool(_STREAM.match(str(target)))
        self.is_live = self.is_device
        self._cv2 = _cv2(f"there is no {' or '.join(CAMERA_PROGRAMS)} here, and other cameras" if target == 0 else name)

    def frames(self) -> Iterator[Image]:
        cv2 = self._cv2
        # Of a name, no other reader than that of videos: one would take its digits for the number of a picture.
        capture = cv2.VideoCapture(0) if self._target == 0 else cv2.VideoCapture(self._target, cv2.CAP_FFMPEG)
        number = 0
        try:
            if not capture.isOpened():
                raise InputError(_NOT_OPENED.format(self.name) if self._target == 0 else f"{self.name}: {_NO_VIDEO}")
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


def _cv2(what: str) -> Any:
    """Return OpenCV, which is told to be silent before it is imported."""
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    try:
        import cv2
    except ImportError:
        raise InputError(f"{what}: needs OpenCV ({Host.here().pip('install', _OPENCV)})") from None
    return cv2
