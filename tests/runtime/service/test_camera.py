from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from mnist_edge_runtime import Classifier, InputError
from mnist_edge_runtime.service import camera as camera_module
from mnist_edge_runtime.service.camera import Camera
from mnist_edge_runtime.service.frame import Frame, FrameError, Image
from mnist_edge_runtime.service.frame_sources import Source
from mnist_edge_runtime.service.observer import Observer
from mnist_edge_runtime.service.stability import STABLE
from numpy.typing import NDArray

Draw = Callable[..., NDArray[np.uint8]]


class Lens(Source):
    """Frames of a test, then an error or the end."""

    def __init__(self, *images: Image, error: Exception | None = None) -> None:
        super().__init__("lens")
        self._images, self._error = images, error

    def frames(self) -> Iterator[Image]:
        yield from self._images
        if self._error:
            raise self._error


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera_module, "_APART", 0.0)


def test_the_newest_frame_with_its_reading_and_what_is_stable(classifier: Classifier, number_frame: Draw) -> None:
    frames = [number_frame("7")] * STABLE + [FrameError("torn"), number_frame("42")]
    with Camera(Lens(*frames), Observer(classifier), "a model") as camera:
        camera._thread.join(60)
        shown, reading = camera.newest, camera.reading()

        assert shown
        caption = camera.caption(shown)

    found = json.loads(caption)
    assert "\n" not in caption
    assert caption.isascii()
    assert found["ended"] == "lens: there are no more frames"
    assert found["stable"]["age"] >= 0
    assert (shown.number, found["frame"], found["text"], found["accepted"]) == (STABLE + 2, STABLE + 2, "42", True)
    assert [digit["label"] for digit in found["digits"]] == ["4", "2"]
    assert [*found["digits"][0]] == ["label", "confidence", "accepted", "box"]
    assert (found["stable"]["text"], found["stable"]["frames"]) == ("7", STABLE)
    assert shown.jpeg == Frame(1, number_frame("42")).jpeg()
    assert (reading["text"], reading["frame"], reading["accepted"]) == ("7", STABLE, True)
    assert 0 <= reading["age"] < 60  # also after the end
    counts = {"frames": STABLE + 2, "dropped": 0, "damaged": 1}
    assert reading["camera"] == {"source": "lens", **counts, "ended": "lens: there are no more frames"}


def test_before_the_first_frame_there_is_no_reading(classifier: Classifier) -> None:
    with Camera(Lens(), Observer(classifier), "a model") as camera:
        reading = camera.reading()

    assert (reading["text"], reading["accepted"], reading["reason"]) == ("", False, "no reading is stable yet")
    assert reading["age"] is None
    assert camera.newest is None


@pytest.mark.parametrize(
    ("error", "told"),
    [(InputError("the lens is torn"), "the lens is torn"), (MemoryError(), "there is not enough memory")],
)
def test_what_ends_it_is_told(
    classifier: Classifier, error: Exception, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with Camera(Lens(error=error), Observer(classifier), "a model") as camera:
        camera._thread.join(60)

    assert camera.ended
    assert camera.ended.startswith(told)
    assert capsys.readouterr().err.startswith(f"camera: {told}")


def test_what_cannot_be_read_is_told_at_the_start(classifier: Classifier) -> None:
    lens = Lens(error=InputError("the lens is torn"))
    lens.is_stored = True
    with pytest.raises(InputError, match="the lens is torn"), Camera(lens, Observer(classifier), "a model"):
        pass


def test_too_few_frames_and_damaged_ones_are_told(classifier: Classifier, number_frame: Draw) -> None:
    for frames, told in (
        ([number_frame("7")], "lens: 1 frame (it shows 7) gives no reading: 4 in a row must agree"),
        ([FrameError("torn")], "lens: none of its frames can be read"),
    ):
        with Camera(Lens(*frames), Observer(classifier), "a model") as camera:
            camera._thread.join(60)
        assert camera.ended
        assert camera.ended.startswith(told)
