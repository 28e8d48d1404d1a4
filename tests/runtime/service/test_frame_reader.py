from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from mnist_edge_runtime import InputError
from mnist_edge_runtime.service import frame_reader
from mnist_edge_runtime.service.frame import Image
from mnist_edge_runtime.service.frame_reader import FrameReader
from mnist_edge_runtime.service.frame_sources import Source


class Frames(Source):
    """Frames that a test gives."""

    def __init__(self, *runs: Callable[[], Iterator[Image]], device: bool = False) -> None:
        super().__init__("lens")
        self._runs = iter(runs)
        self.is_device = device

    def frames(self) -> Iterator[Image]:
        yield from next(self._runs)()


def some(count: int) -> Callable[[], Iterator[Image]]:
    return lambda: (np.full((2, 2), number, np.uint8) for number in range(count))


def broken(count: int, message: str) -> Callable[[], Iterator[Image]]:
    def frames() -> Iterator[Image]:
        yield from some(count)()
        raise InputError(message)

    return frames


def never() -> bool:
    return False


def test_no_frame_of_a_file_is_dropped() -> None:
    with FrameReader(Frames(some(100)), print) as reader:
        found = [frame.number for frame in reader.frames(never)]

    assert (found, reader.came, reader.dropped) == ([*range(1, 101)], 100, 0)


def test_a_slow_consumer_of_a_camera_gets_the_newest_frame() -> None:
    first_taken, all_came = threading.Event(), threading.Event()

    def frames() -> Iterator[Image]:
        yield from some(1)()
        first_taken.wait(60)
        yield from some(50)()
        all_came.set()

    with FrameReader(Frames(frames, device=True), print) as reader:
        coming = reader.frames(never)
        assert next(coming).number == 1
        first_taken.set()
        assert all_came.wait(60)
        assert [frame.number for frame in coming] == [51]

    assert (reader.came, reader.dropped) == (51, 49)


def test_a_source_that_does_not_open_is_an_error() -> None:
    for device in (False, True):
        source = Frames(broken(0, "no lens"), device=device)
        with FrameReader(source, print) as reader, pytest.raises(InputError, match="no lens"):
            next(reader.frames(never))


def test_a_file_that_breaks_off_is_an_error_after_its_frames() -> None:
    with FrameReader(Frames(broken(2, "torn")), print) as reader:
        coming = reader.frames(never)
        assert [next(coming).number, next(coming).number] == [1, 2]
        with pytest.raises(InputError, match="torn"):
            next(coming)


def test_the_first_frame_is_waited_for_and_not_taken() -> None:
    with FrameReader(Frames(some(2)), print) as reader:
        reader.await_first()
        assert [frame.number for frame in reader.frames(never)] == [1, 2]
    for source, told in ((Frames(some(0)), "lens: no frame came"), (Frames(broken(0, "no lens")), "no lens")):
        with FrameReader(source, print) as reader, pytest.raises(InputError, match=told):
            reader.await_first()


def test_an_error_of_a_library_reaches_the_consumer() -> None:
    def frames() -> Iterator[Image]:
        raise MemoryError
        yield

    with FrameReader(Frames(frames), print) as reader, pytest.raises(MemoryError):
        next(reader.frames(never))


def test_a_camera_that_ends_is_told_and_started_again_ever_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame_reader, "_FIRST_WAIT", 0.001)
    monkeypatch.setattr(frame_reader, "_LONGEST_WAIT", 0.003)
    told: list[str] = []
    runs = [broken(1, "unplugged"), *[broken(0, "gone")] * 3, broken(1, "unplugged"), some(1)]
    with FrameReader(Frames(*runs, device=True), told.append) as reader:
        found = [frame.number for frame in reader.frames(never)]

    assert found[-1] == 3
    assert reader.came == 3
    assert told == [
        f"{error}; it is started again in {wait} s"
        for error, wait in (
            ("unplugged", "0.001"),
            ("gone", "0.002"),
            ("gone", "0.003"),
            ("gone", "0.003"),
            ("unplugged", "0.001"),
        )
    ]


def test_a_camera_that_is_silent_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frame_reader, "_LOOK_SECONDS", 0.001)
    monkeypatch.setattr(frame_reader, "_SILENCE", 0.01)
    heard = threading.Event()
    told: list[str] = []

    def tell(sentence: str) -> None:
        told.append(sentence)
        heard.set()

    def frames() -> Iterator[Image]:
        heard.wait(60)
        yield from some(1)()

    with FrameReader(Frames(frames, device=True), tell) as reader:
        assert [frame.number for frame in reader.frames(never)] == [1]

    assert told == ["lens: no frame for 0.01 seconds; still waiting"]


def test_it_ends_when_told_to_stop() -> None:
    looks = iter([False, False, True])
    release = threading.Event()

    def frames() -> Iterator[Image]:
        yield from some(1)()
        release.wait(60)

    with FrameReader(Frames(frames, device=True), print) as reader:
        assert [frame.number for frame in reader.frames(lambda: next(looks))] == [1]
        release.set()
