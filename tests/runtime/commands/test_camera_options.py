from __future__ import annotations

import argparse

import numpy as np
import pytest
from mnist_edge_runtime import Classifier, InputError
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
