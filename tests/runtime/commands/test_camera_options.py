from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest
from mnist_edge_runtime import Classifier, InputError, UsageError
from mnist_edge_runtime.commands import camera_options
from mnist_edge_runtime.service.frame import Frame


def test_the_options_reach_the_observer() -> None:
    parser = argparse.ArgumentParser()
    camera_options.add_options(parser)
    arguments = parser.parse_args(["--region", "0,0,100,100", "--expect", "5", "--rising"])

    with Classifier.load() as classifier:
        observer = camera_options.observer(arguments, classifier)
        with pytest.raises(InputError, match="0,0,100,100 is not inside the frame, which has 64 x 48 pixels"):
            observer.look(Frame(1, np.zeros((48, 64), np.uint8)))
    assert arguments.expect == 5
    assert arguments.rising


@pytest.mark.parametrize("expect", ["0", "41", "x", "-1", "1.5", "\u0665"])
def test_a_number_of_digits_is_checked(expect: str, capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    camera_options.add_options(parser)
    with pytest.raises(SystemExit):
        parser.parse_args(["--expect", expect])

    assert "is no number of digits from 1 to 40" in capsys.readouterr().err


@pytest.mark.parametrize("option", [("--region", "0,0,1,1"), ("--expect", "5"), ("--rising",)])
def test_without_a_camera_its_options_are_refused(option: tuple[str, ...]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--camera")
    camera_options.add_options(parser)

    with pytest.raises(UsageError, match=f"{option[0]} is for a camera; add --camera"):
        camera_options.check(parser.parse_args(option))
    camera_options.check(parser.parse_args([*option, "--camera", "-"]))


def test_a_live_camera_is_read_for_the_time_of_a_block(tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--camera")
    camera_options.add_options(parser)
    with Classifier.load() as classifier:
        with camera_options.live(parser.parse_args([]), classifier) as camera:
            assert camera is None
        (tmp_path / "film").mkdir()
        (tmp_path / "film" / "1.pgm").write_bytes(b"P5 64 48 255\n" + bytes(64 * 48))
        with camera_options.live(parser.parse_args(["--camera", str(tmp_path / "film")]), classifier) as camera:
            assert camera
            camera._thread.join(60)
            assert camera.ended
            assert "1 frame (it shows no digit) gives no reading" in camera.ended
        (tmp_path / "notes").write_text("no video")
        for source, told in (
            (tmp_path / "none", "there is no such file"),
            (tmp_path / "notes", "OpenCV opens no video there"),
            (tmp_path, "a folder without pictures"),
        ):
            arguments = parser.parse_args(["--camera", str(source)])
            with pytest.raises(InputError, match=told), camera_options.live(arguments, classifier):
                pass
