from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from mnist_edge_runtime import Classifier, InputError
from mnist_edge_runtime.line_reader import read_lines
from mnist_edge_runtime.preprocessing.image_io import load_picture
from mnist_edge_runtime.preprocessing.mnist import to_mnist
from mnist_edge_runtime.service import observer
from mnist_edge_runtime.service.frame import Frame, FrameError
from mnist_edge_runtime.service.inbox import Inbox
from mnist_edge_runtime.service.number_reading import BLANK, Reading
from mnist_edge_runtime.service.observer import Observation, Observer
from mnist_edge_runtime.service.reading_rules import ReadingRules
from mnist_edge_runtime.service.region import Region
from mnist_edge_runtime.service.stability import STABLE, UNSTEADY

LABELS = tuple("0123456789")
PIXELS = np.zeros((48, 64), np.uint8)
Told = list[tuple[str, bool, str | None]]
Watch = Callable[..., Told]


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    """Return the function that shows readings to an observer, each in as many frames, and gives what it tells."""

    def watch(*readings: Reading | str, frames: int = 2 * STABLE, rules: ReadingRules | None = None) -> Told:
        shown = [Reading(each) if isinstance(each, str) else each for each in readings for _ in range(frames)]
        coming = iter(shown)
        monkeypatch.setattr(observer, "read_number", lambda view, classifier: next(coming))
        looking = Observer(None, rules=rules)  # type: ignore[arg-type]  # no classifier: nothing is read here
        told = [looking.look(Frame(number, PIXELS)) for number, _ in zip(count(1), shown)]
        return [(each.reading.text, each.reading.accepted, each.reading.reason or each.remark) for each in told if each]

    return watch


NOTHING = Reading("", reason=BLANK)


def test_a_reading_is_told_once_and_again_when_it_changes(watch: Watch) -> None:
    assert watch("42", "42", "43", "42") == [("42", True, None), ("43", True, None), ("42", True, None)]


def test_blank_paper_is_told_once(watch: Watch) -> None:
    assert watch(NOTHING, NOTHING, "7", NOTHING, "7") == [
        ("", False, BLANK),
        ("7", True, None),
        ("", False, BLANK),
        ("7", True, None),
    ]


def test_frames_that_do_not_agree_do_not_take_a_reading_back_soon(watch: Watch) -> None:
    assert watch(*["42"] * STABLE, "4", "2", "42", "42", "42", "42", frames=1) == [("42", True, None)]
    assert watch(*["42"] * STABLE, *["4", "2"] * 3 * STABLE, frames=1) == [("42", True, None), ("", False, UNSTEADY)]


def test_a_doubtful_reading_is_told_as_such(watch: Watch) -> None:
    doubtful, other = Reading("42", reason="unsure of digit 1"), Reading("42", reason="unsure of digit 2")

    assert watch(doubtful, other) == [("42", False, "unsure of digit 1")]
    assert watch(doubtful, "42") == [("42", False, "unsure of digit 1"), ("42", True, None)]


def test_a_reading_that_breaks_a_rule_is_told_once_with_the_reason(watch: Watch) -> None:
    falls = "it falls: the last accepted reading is 43"

    assert watch("42", "43", "41", "41", "043", rules=ReadingRules(2, True)) == [
        ("42", True, None),
        ("43", True, None),
        ("41", False, falls),
        ("043", False, "3 digits, expected 2"),
    ]
    assert watch("99", "00", "00", NOTHING, "01", rules=ReadingRules(rising=True)) == [
        ("99", True, None),
        ("00", True, "rolled over after 99"),
        ("", False, BLANK),
        ("01", True, None),
    ]


def test_the_newest_observation_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observer, "read_number", lambda view, classifier: Reading("42"))
    looking = Observer(None)  # type: ignore[arg-type]
    assert looking.newest is None
    for number in range(1, 11):
        looking.look(Frame(number, PIXELS))

    assert looking.newest
    assert (looking.newest.frame, looking.newest.frames) == (10, 10)


def test_a_damaged_frame_is_left_out_and_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observer, "read_number", lambda view, classifier: Reading("42"))
    told: list[str] = []
    looking = Observer(None, tell=told.append)  # type: ignore[arg-type]
    found = [looking.look(Frame(number, FrameError("torn") if number % 2 else PIXELS)) for number in range(1, 9)]

    assert [each.frame for each in found if each] == [8]
    assert looking.damaged == 4
    assert told == ["frame 1 is left out: torn; later ones like it are counted"]


def test_a_region_outside_of_the_frame_is_an_error() -> None:
    with pytest.raises(InputError, match="64 x 48"):
        Observer(None, region=Region.parse("60,0,10,10")).look(Frame(1, PIXELS))  # type: ignore[arg-type]


def test_an_observation_as_json(number_jpeg: Callable[..., bytes]) -> None:
    with Classifier.load() as classifier:
        looking = Observer(classifier)
        told = [looking.look(Frame(number, number_jpeg("07"))) for number in range(1, STABLE + 1)]
    (observation,) = [each for each in told if each]
    found = json.loads(json.dumps(observation.to_dict(), allow_nan=False))

    assert [*found] == ["time", "frame", "text", "accepted", "reason", "digits", "frames"]
    time = datetime.fromisoformat(found["time"].replace("Z", "+00:00"))
    assert abs((datetime.now(timezone.utc) - time).total_seconds()) < 60  # noqa: UP017
    assert {**found, "time": 0, "digits": 0} == {
        **{"time": 0, "frame": STABLE, "text": "07", "accepted": True, "reason": None, "digits": 0, "frames": STABLE}
    }
    assert [digit["label"] for digit in found["digits"]] == ["0", "7"]
    assert all(len(digit["box"]) == 4 and 0.5 < digit["confidence"] <= 1 for digit in found["digits"])


def test_a_remark_is_the_reason_in_json() -> None:
    now = datetime.now(timezone.utc)  # noqa: UP017

    assert Observation(now, 1, Reading("00"), "rolled over after 99", 4).to_dict()["reason"] == "rolled over after 99"


def test_digits_that_are_not_sure_are_kept_once_for_each_reading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, classifier: Classifier
) -> None:
    """As the network saw them: the preparation takes what is stored as it is."""
    pixels = np.full((100, 220), 255, np.uint8)
    pixels[20:80, 40:46] = pixels[20:80, 120:126] = 0
    ((one, other),) = read_lines(pixels, classifier)
    assert other.image is not None
    prediction = other.prediction._replace(accepted=False, reason="a low score")
    images = [other.image, np.where(other.image == 255, 254, other.image).astype(np.uint8)]
    unsure = [replace(other, prediction=prediction, image=image) for image in images]
    shown = iter(
        [reading for digit in unsure for reading in (Reading("11", (one, digit), "unsure of digit 2"), NOTHING)]
    )
    coming = iter([reading for reading in shown for _ in range(2 * STABLE)])
    monkeypatch.setattr(observer, "read_number", lambda view, classifier: next(coming))
    told: list[str] = []
    looking = Observer(classifier, inbox=Inbox(tmp_path, LABELS, most=2), tell=told.append)
    for number in range(8 * STABLE):
        looking.look(Frame(number, PIXELS))
    kept = [load_picture(file) for file in sorted(tmp_path.glob("*/*"))]
    assert len(kept) == 2
    for stored, image in zip(kept, images, strict=True):
        np.testing.assert_array_equal(to_mnist(stored), image)
    assert told == []


def test_an_inbox_that_takes_nothing_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, classifier: Classifier
) -> None:
    pixels = np.full((100, 100), 255, np.uint8)
    pixels[20:80, 40:46] = 0
    ((digit,),) = read_lines(pixels, classifier)
    unsure = replace(digit, prediction=digit.prediction._replace(accepted=False, reason="a low score"))
    coming = iter([each for each in (Reading("1", (unsure,), "x"), NOTHING) * 2 for _ in range(2 * STABLE)])
    monkeypatch.setattr(observer, "read_number", lambda view, classifier: next(coming))
    told: list[str] = []
    looking = Observer(classifier, inbox=Inbox(tmp_path, LABELS, most=0), tell=told.append)
    assert len([each for number in range(8 * STABLE) if (each := looking.look(Frame(number, PIXELS)))]) == 4
    (sentence,) = told
    assert sentence.startswith(f"inbox {tmp_path}: the inbox is full (0 pictures")
