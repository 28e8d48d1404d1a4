from __future__ import annotations

import io
import os
import sys
import textwrap
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from mnist_edge_runtime import InputError
from mnist_edge_runtime.service.frame import Frame, FrameError
from mnist_edge_runtime.service.frame import Image as FrameImage
from mnist_edge_runtime.service.frame_sources import open_source
from PIL import Image

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
    source = open_source("camera", "--source")
    frames: list[FrameImage] = []

    with pytest.raises(InputError) as told:
        frames.extend(source.frames())

    assert (source.name, source.is_stored, source.is_device) == (name, False, True)
    assert frames == [number_jpeg("4")] * 3
    options = "['-n', '-t', '0', '--codec', 'mjpeg', '-o', '-']"
    assert str(told.value) == f"{name} ended with exit code 7: {options}"


def test_a_program_that_writes_no_jpeg_is_told(camera: Camera) -> None:
    camera("out.write(b'h264 it is')")
    with pytest.raises(InputError, match=r"rpicam-vid: no JPEG begins there; expected JPEGs"):
        next(open_source("camera", "--source").frames())


def test_closing_ends_the_program(camera: Camera, number_jpeg: Jpeg, tmp_path: Path) -> None:
    (tmp_path / "one.jpg").write_bytes(number_jpeg("4"))
    camera(f"while True: out.write(open('{tmp_path}/one.jpg', 'rb').read())")
    source = open_source("camera", "--source")
    frames = source.frames()
    assert len([*islice(frames, 5)]) == 5

    source.close()

    with pytest.raises(InputError, match="rpicam-vid crashed"):
        for _ in frames:
            pass


def test_the_pictures_of_a_folder_in_the_order_of_their_names(number_jpeg: Jpeg, tmp_path: Path) -> None:
    for name, digit in (("b.jpg", "7"), ("a.jpg", "4")):
        (tmp_path / name).write_bytes(number_jpeg(digit))
    (tmp_path / "c.png").write_bytes(b"damaged")
    source = open_source(str(tmp_path), "--source")

    first, second, third = source.frames()

    assert source.is_stored
    assert np.array_equal(Frame(1, first).view().pixels, Frame(1, number_jpeg("4")).view().pixels)
    assert np.array_equal(Frame(1, second).view().pixels, Frame(1, number_jpeg("7")).view().pixels)
    assert isinstance(third, FrameError)
    assert "c.png: not a picture" in str(third)


def test_a_folder_without_pictures_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a folder without pictures"):
        next(open_source(str(tmp_path), "--source").frames())


def test_a_file_of_jpegs_needs_no_opencv(number_jpeg: Jpeg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    film = tmp_path / "film.mjpeg"
    film.write_bytes(number_jpeg("4") + number_jpeg("7"))
    source = open_source(str(film), "--source")

    assert [*source.frames()] == [*source.frames()] == [number_jpeg("4"), number_jpeg("7")]
    assert source.is_stored


@pytest.mark.parametrize("name", ["seven.jpg", "seven.png", "seven.pgm"])
def test_one_picture_is_no_source(name: str, number_jpeg: Jpeg, tmp_path: Path) -> None:
    Image.open(io.BytesIO(number_jpeg("7"))).convert("L").save(tmp_path / name)
    with pytest.raises(InputError, match=f"{name}: one picture is no source of frames; the commands read and classify"):
        open_source(str(tmp_path / name), "--source")


def test_jpegs_on_stdin_wait(number_jpeg: Jpeg, tmp_path: Path) -> None:
    film = tmp_path / "film.mjpeg"
    film.write_bytes(3 * (number_jpeg("4") + bytes(5)) + number_jpeg("7")[:1000])
    saved = os.dup(0)
    try:
        with film.open("rb") as file:
            os.dup2(file.fileno(), 0)
            source = open_source("-", "--source")
            frames = [*source.frames()]
        read, write = os.pipe()
        os.dup2(read, 0)
        piped = open_source("-", "--source")
        os.close(write)
        os.close(read)
    finally:
        os.dup2(saved, 0)
        os.close(saved)

    assert (source.is_stored, source.is_device) == (True, False)
    assert (piped.is_stored, piped.is_device) == (False, False)
    assert frames == [number_jpeg("4")] * 3 + [number_jpeg("7")[:1000]]
    with pytest.raises(FrameError):
        Frame(4, frames[-1]).view()
