from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from mnist_edge_runtime import InputError
from mnist_edge_runtime.service.frame_sources import open_source
from numpy.typing import NDArray

Draw = Callable[..., NDArray[np.uint8]]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("camera", "camera: there is no rpicam-vid or libcamera-vid here, and another camera needs OpenCV"),
        ("rtsp://127.0.0.1:9/live", "rtsp://127.0.0.1:9/live: a stream needs OpenCV"),
        (__file__, f"{__file__}: a video needs OpenCV"),
    ],
)
def test_without_opencv_one_sentence_says_what_to_install(
    name: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "cv2", None)
    bounds = ">=4.5,<4.12" if np.__version__.startswith("1.") else ">=4.5"
    with pytest.raises(InputError) as error:
        open_source(name, "--source")
    assert str(error.value) == f"{told} ({sys.executable} -m pip install 'opencv-python-headless{bounds}')"


def test_a_video_is_read_to_its_end(number_frame: Draw, tmp_path: Path) -> None:
    video = str(tmp_path / "film%03d.avi")  # no pattern
    writer = cv2.VideoWriter(video, cv2.VideoWriter_fourcc(*"MJPG"), 25, (640, 480))  # type: ignore[attr-defined]
    for digit in "47":
        for _ in range(3):
            writer.write(cv2.cvtColor(number_frame(digit), cv2.COLOR_GRAY2BGR))
    writer.release()
    source = open_source(video, "--source")

    frames = [*source.frames()]

    assert (source.is_stored, source.is_device) == (True, False)
    assert len(frames) == 6
    for frame, digit in zip(frames, "444777", strict=True):
        assert isinstance(frame, np.ndarray)
        assert np.abs(frame.astype(int) - number_frame(digit)).mean() < 4


def test_what_is_no_video_is_told(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no video")
    with pytest.raises(InputError, match=r"notes.txt: OpenCV opens no video there"):
        next(open_source(str(tmp_path / "notes.txt"), "--source").frames())
    with pytest.raises(InputError, match=r"nowhere: there is no such file or folder; name a folder, a video"):
        open_source(str(tmp_path / "nowhere"), "--source")


@pytest.mark.parametrize("password", ["secret", "se@cret", "secr/et@1", "//secret"])
def test_a_stream_is_live_and_its_password_is_not_told(password: str) -> None:
    source = open_source(f"rtsp://someone:{password}@127.0.0.1:9/live", "--source")

    assert (source.is_stored, source.is_device, source.name) == (False, True, "rtsp://127.0.0.1:9/live")
    with pytest.raises(InputError) as told:
        next(source.frames())
    assert not any(part in str(told.value) for part in ("secret", "someone", "cret"))


@pytest.mark.parametrize("option", ["--source", "--camera"])
def test_the_first_camera_of_opencv(option: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a program of a Pi is missing; that there is none is told, with the option of the command."""
    monkeypatch.setenv("PATH", "")
    opened: list[object] = []
    monkeypatch.setattr(cv2, "VideoCapture", lambda *target: opened.append(target) or _NoCamera())
    source = open_source("camera", option)

    with pytest.raises(
        InputError, match=f"camera: OpenCV finds none; connect one, or name another source with {option}: a folder"
    ):
        next(source.frames())
    assert (opened, source.is_stored, source.is_device) == ([(0,)], False, True)


class _NoCamera:
    def isOpened(self) -> bool:  # noqa: N802
        return False

    def release(self) -> None:
        pass
