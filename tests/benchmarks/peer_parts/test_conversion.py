from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mnist_edge_trainer.data import datasets


@pytest.mark.long
def test_a_conversion_is_timed_and_its_file_measured(
    part: Callable[[str], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversion = part("conversion")
    digits = datasets.load("digits")
    np.save(tmp_path / "calibration.npy", digits.train_images[:5])
    session = part("session").Session(tmp_path, tell=False)
    monkeypatch.setattr(type(session), "environment", lambda *_: Path(sys.executable))
    (usual,) = (each for each in conversion.CONTENDERS if each.key == "tflite-converter")

    seconds = conversion.convert(session, usual, "small")

    assert seconds.keys() == {"import", "load", "convert", "whole", "processor"}, seconds
    assert seconds["import"] + seconds["load"] + seconds["convert"] <= seconds["whole"]
    assert seconds["processor"] > 0
    images, labels = digits.test_images[:18], digits.test_labels[:18]
    found = conversion.measured(conversion.converted(session, usual, "small"), images, labels, labels)
    assert (found["takes"], found["gives"]) == ("uint8", "uint8")
    assert found["bytes"] > 15_000
    assert found["accuracy"] > 0.7
    assert found["changed"] == round(18 * (1 - found["accuracy"]))


def test_a_converter_that_fails_is_a_sentence(
    part: Callable[[str], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversion = part("conversion")
    np.save(tmp_path / "calibration.npy", np.zeros((1, 28, 28), np.uint8))
    session = part("session").Session(tmp_path, tell=False)
    failing = tmp_path / "python"
    failing.write_text("#!/bin/sh\necho 'ValueError: no such thing' >&2\nexit 1\n")
    failing.chmod(0o755)
    monkeypatch.setattr(type(session), "environment", lambda *_: failing)

    found = conversion.convert(session, conversion.CONTENDERS[1], "small")

    assert found == {"failed": "ValueError: no such thing"}
    assert conversion.medians([{"convert": 1.0}, found]) == found


def test_times_are_medians(part: Callable[[str], Any]) -> None:
    assert part("conversion").medians([{"whole": 1.0}, {"whole": 4.0}, {"whole": 2.0}]) == {"whole": 2.0}
