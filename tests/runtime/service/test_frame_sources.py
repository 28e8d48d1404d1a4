from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest
from mnist_edge_runtime import InputError
from mnist_edge_runtime.service.frame import Frame, FrameError, Image
from mnist_edge_runtime.service.frame_sources import open_source
from numpy.typing import NDArray

Draw = Callable[..., NDArray[np.uint8]]
Jpeg = Callable[..., bytes]
Camera = Callable[[str], Path]


@pytest.fixture
def camera(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Camera:
    """Return the function that puts a camera program, whose body is Python, first on the PATH."""

    def camera(body: str, name: str = "rpicam-vid") -> Path:
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!{sys.executable}\nimport sys\nout = sys.stdout.buffer\n{textwrap.dedent(body)}")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
        return program

    return camera


@pytest.mark.parametrize("name", ["rpicam-vid", "libcamera-vid"])
def test_the_program_of_a_pi_is_started_and_its_jpegs_are_split(
    camera: Camera, number_jpeg: Jpeg, tmp_path: Path, name: str
) -> None:
    (tmp_path / "one.jpg").write_bytes(number_jpeg("4"))
    body = f"""
        for _ in range(3): out.write(open('{tmp_path}/one.jpg', 'rb').read())
        print('Opening camera', file=sys.stderr)
        print(sys.argv[1:], file=sys.stderr)
        sys.exit(7)
    """
    camera(body, name)
    source = open_source("camera")
    frames: list[Image] = []

    with pytest.raises(InputError) as told:
        frames.extend(source.frames())

    assert (source.name, source.is_live, source.is_device) == (name, True, True)
    assert frames == [number_jpeg("4")] * 3
    options = "['-n', '-t', '0', '--codec', 'mjpeg', '-o', '-']"
    assert str(told.value) == f"{name} ended with exit code 7: {options}"


def test_a_program_that_writes_no_jpeg_is_told(camera: Camera) -> None:
    camera("out.write(b'h264 it is')")
    with pytest.raises(InputError, match=r"rpicam-vid: no JPEG begins there; expected JPEGs"):
        next(open_source("camera").frames())


def test_closing_ends_the_program(camera: Camera, number_jpeg: Jpeg, tmp_path: Path) -> None:
    (tmp_path / "one.jpg").write_bytes(number_jpeg("4"))
    camera(f"while True: out.write(open('{tmp_path}/one.jpg', 'rb').read())")
    source = open_source("camera")
    frames = source.frames()
    assert len([*islice(frames, 5)]) == 5

    source.close()

    with pytest.raises(InputError, match="rpicam-vid crashed"):
        for _ in frames:
            pass


def test_without_a_program_and_opencv_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(InputError) as told:
        open_source("camera")
    command = f"{sys.executable} -m pip install opencv-python-headless"
    assert str(told.value) == (
        f"there is no rpicam-vid or libcamera-vid here, and other cameras: needs OpenCV ({command})"
    )


def test_a_video_is_read_to_its_end(number_frame: Draw, tmp_path: Path) -> None:
    video = str(tmp_path / "film%03d.avi")  # no pattern
    writer = cv2.VideoWriter(video, cv2.VideoWriter_fourcc(*"MJPG"), 25, (640, 480))  # type: ignore[attr-defined]
    for digit in "47":
        for _ in range(3):
            writer.write(cv2.cvtColor(number_frame(digit), cv2.COLOR_GRAY2BGR))
    writer.release()
    source = open_source(video)

    frames = [*source.frames()]

    assert (source.is_live, source.is_device) == (False, False)
    assert len(frames) == 6
    for frame, digit in zip(frames, "444777", strict=True):
        assert isinstance(frame, np.ndarray)
        assert np.abs(frame.astype(int) - number_frame(digit)).mean() < 4


def test_a_picture_is_no_beginning_of_others(number_jpeg: Jpeg, tmp_path: Path) -> None:
    for number in (1, 2, 3):
        (tmp_path / f"a{number}.jpg").write_bytes(number_jpeg("4"))

    assert len([*open_source(str(tmp_path / "a1.jpg")).frames()]) == 1


def test_what_is_no_video_is_told(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no video")
    with pytest.raises(InputError, match=r"notes.txt: OpenCV opens no video there"):
        next(open_source(str(tmp_path / "notes.txt")).frames())
    with pytest.raises(InputError, match=r"nowhere: there is no such file or folder; name a folder, a video"):
        open_source(str(tmp_path / "nowhere"))


@pytest.mark.parametrize("password", ["secret", "se@cret", "secr/et@1", "//secret"])
def test_a_stream_is_live_and_its_password_is_not_told(password: str) -> None:
    source = open_source(f"rtsp://someone:{password}@127.0.0.1:9/live")

    assert (source.is_live, source.is_device, source.name) == (True, True, "rtsp://127.0.0.1:9/live")
    with pytest.raises(InputError) as told:
        next(source.frames())
    assert not any(part in str(told.value) for part in ("secret", "someone", "cret"))


def test_the_first_camera_of_opencv(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a program of a Pi is missing; that there is none is told."""
    monkeypatch.setenv("PATH", "")
    opened: list[object] = []
    monkeypatch.setattr(cv2, "VideoCapture", lambda *target: opened.append(target) or _NoCamera())
    source = open_source("camera")

    with pytest.raises(InputError, match="camera: OpenCV finds none; connect one, or name a --source"):
        next(source.frames())
    assert (opened, source.is_live, source.is_device) == ([(0,)], True, True)


class _NoCamera:
    def isOpened(self) -> bool:  # noqa: N802
        return False

    def release(self) -> None:
        pass


def test_the_pictures_of_a_folder_in_the_order_of_their_names(number_jpeg: Jpeg, tmp_path: Path) -> None:
    for name, digit in (("b.jpg", "7"), ("a.jpg", "4")):
        (tmp_path / name).write_bytes(number_jpeg(digit))
    (tmp_path / "c.png").write_bytes(b"damaged")
    source = open_source(str(tmp_path))

    first, second, third = source.frames()

    assert not source.is_live
    assert np.array_equal(Frame(1, first).view().pixels, Frame(1, number_jpeg("4")).view().pixels)
    assert np.array_equal(Frame(1, second).view().pixels, Frame(1, number_jpeg("7")).view().pixels)
    assert isinstance(third, FrameError)
    assert "c.png: not a picture" in str(third)


def test_a_folder_without_pictures_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a folder without pictures"):
        next(open_source(str(tmp_path)).frames())


def test_jpegs_on_stdin_are_live_unless_they_are_a_file(number_jpeg: Jpeg, tmp_path: Path) -> None:
    film = tmp_path / "film.mjpeg"
    film.write_bytes(3 * (number_jpeg("4") + bytes(5)) + number_jpeg("7")[:1000])
    saved = os.dup(0)
    try:
        with film.open("rb") as file:
            os.dup2(file.fileno(), 0)
            source = open_source("-")
            frames = [*source.frames()]
        read, write = os.pipe()
        os.dup2(read, 0)
        assert open_source("-").is_live
        os.write(write, number_jpeg("7")[:50])
        os.close(write)
        os.close(read)
    finally:
        os.dup2(saved, 0)
        os.close(saved)

    assert not source.is_live
    assert frames == [number_jpeg("4")] * 3 + [number_jpeg("7")[:1000]]
    with pytest.raises(FrameError):
        Frame(4, frames[-1]).view()
