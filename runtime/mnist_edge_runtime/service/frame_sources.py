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
from itertools import islice
from pathlib import Path
from typing import Any

from ..child_process import how_it_ended
from ..errors import InputError
from ..preprocessing import jpeg_stream
from ..preprocessing.file_kinds import NAMES
from ..preprocessing.image_io import load_picture, picture_files
from ..preprocessing.regular_files import kind_of_file
from ..text_output import printable
from .frame import FrameError, Image

__all__ = ["CAMERA", "CAMERA_PROGRAMS", "Source", "open_source"]

CAMERA = "camera"
CAMERA_PROGRAMS = ("rpicam-vid", "libcamera-vid")  # of a Pi; the second is its name up to 2023
_OPTIONS = ("-n", "-t", "0", "--codec", "mjpeg", "-o", "-")  # no preview, no end
_MAX_BYTES = 16 * 1024 * 1024  # of one JPEG
_PADDING = b" \t\r\n\0"
_STREAM = re.compile(r"(rtsps?|https?)://", re.I)
_PASSWORD = re.compile(r"(?<=://).*@")  # a password may have any of / and @ in it
_OTHERS = "a folder, a video, an rtsp:// address or -"
_SINGLE = "one picture is no source of frames; the commands read and classify answer it"
_NO_PROGRAM = f"there is no {' or '.join(CAMERA_PROGRAMS)} here, and another camera"
_STOP_SECONDS = 2.0  # which a camera program has to end


class Source(ABC):
    """Where frames come from.

    Attributes:
        name: in messages.
        is_device: a camera, whose frames come whether they are taken or not: those that nobody takes in time are
            dropped, and it is started again when it ends. All others wait.
        is_stored: all frames are there from the beginning, so that the first can be asked for without waiting.
    """

    is_device = is_stored = False

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


def open_source(name: str, option: str) -> Source:
    """Return the source that the command line names: "camera", "-", a folder, a video or the address of a stream.

    Args:
        name: of the source.
        option: that names it, for advice.

    Raises:
        InputError: there is no such source, or what it needs is not installed.
    """
    from .opencv_source import OpenCv  # few need it

    if name == CAMERA:
        programs = (found for program in CAMERA_PROGRAMS if (found := shutil.which(program)))
        program = next(programs, None)
        advice = f"connect one, or name another source with {option}: {_OTHERS}"
        return _Program(program) if program else OpenCv(name, 0, _NO_PROGRAM, advice)
    if name == "-":
        return _Jpegs("stdin", 0)
    if _STREAM.match(name):
        return OpenCv(_PASSWORD.sub("", name), name, "a stream")
    if os.path.isdir(name):
        return _Folder(name)
    if not os.path.exists(name):
        raise InputError(f"{name}: there is no such file or folder; name {_OTHERS}")
    return _of_file(name) or OpenCv(name, name, "a video")


def _of_file(name: str) -> Source | None:
    """Return the source of frames that a file of JPEGs is; None for a video.

    Raises:
        InputError: it is one picture, or cannot be read.
    """
    kind = kind_of_file(name)
    if kind.decoder == "JPEG":
        source = _Jpegs(name, name)
        if len([*islice(source.frames(), 2)]) > 1:
            return source
    if kind.is_picture and kind.decoder != "GIF":
        raise InputError(f"{name}: {_SINGLE}")
    return None


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

    is_device = True

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


class _Jpegs(Source):
    """JPEGs one after the other in a file, by its name or its descriptor."""

    def __init__(self, name: str, file: str | int) -> None:
        super().__init__(name)
        self._file = file
        self.is_stored = stat.S_ISREG(os.stat(file).st_mode)

    def frames(self) -> Iterator[Image]:
        # Not sys.stdin, whose lock a thread that waits for a frame would keep at the end of the process.
        with io.FileIO(self._file, closefd=isinstance(self._file, str)) as opened:
            yield from _jpegs(io.BufferedReader(opened), self.name)


class _Folder(Source):
    """The pictures in a folder, in the order of their names."""

    is_stored = True

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
