"""Read a camera in a thread, for all who look at it: the newest frame, what is read in it, and what was last stable."""

from __future__ import annotations

import json
import os
import threading
from time import monotonic
from types import TracebackType
from typing import Any, NamedTuple

from ..command_line import tell
from ..errors import describe
from ..time_limit import model_limit
from .frame import Frame
from .frame_reader import FrameReader
from .frame_sources import Source
from .number_reading import Reading
from .observer import Observation, Observer

__all__ = ["Camera", "Shown"]

_APART = 0.1  # seconds from one frame to the next: more of them show nothing new, and would take a core of the device
_NOTHING = Reading("", reason="no reading is stable yet")


class Shown(NamedTuple):
    """A frame as it is shown: its number, its JPEG, and what is read in it."""

    number: int
    jpeg: bytes
    reading: Reading


class Camera:
    """A source of frames that is read for as long as the block runs.

    Attributes:
        newest: the newest frame; None before there is one.
        ended: why no more frames come, None while they do.
    """

    def __init__(self, source: Source, observer: Observer, model: object) -> None:
        self.newest: Shown | None = None
        self.ended: str | None = None
        self._source, self._observer, self._model = source, observer, model
        # Folders are nobody's business.
        self._name = (
            source.name if "://" in source.name else os.path.basename(source.name.rstrip(os.sep)) or source.name
        )
        self.reader = FrameReader(source, tell, is_patient=True)
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="camera", daemon=True)

    def __enter__(self) -> Camera:
        self.reader.__enter__()
        try:
            if self._source.is_stored:  # what cannot be read is told before anybody waits for it
                self.reader.await_first()
        except BaseException:
            self.reader.__exit__(None, None, None)
            raise
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._closed.set()
        self.reader.__exit__(kind, error, traceback)
        self._thread.join()

    def reading(self) -> dict[str, Any]:
        """Return what was last stable in view, also after the end, as it stands in JSON, with the numbers of frames."""
        newest, reader = self._observer.newest, self.reader
        found = newest.to_dict() if newest else {"time": None, "frame": None, **_fields(_NOTHING), "frames": 0}
        counts = {"frames": reader.came, "dropped": reader.dropped, "damaged": self._observer.damaged}
        age = newest and newest.age
        return {**found, "age": age, "camera": {"source": self._name, **counts, "ended": self.ended}}

    def caption(self, shown: Shown) -> str:
        """Return what is read in a frame, what was last stable, and why no more frames come, as JSON."""
        stable = self._observer.newest
        found = {
            "frame": shown.number,
            **_fields(shown.reading),
            "stable": stable and {**_without_digits(stable), "age": stable.age},
            "ended": self.ended,
        }
        return json.dumps(found, allow_nan=False)

    def _run(self) -> None:
        try:
            with model_limit(self._model, "read a frame") as limit:
                limit.pause()
                for frame in self.reader.frames(self._closed.is_set):
                    began = monotonic()
                    limit.again()
                    self._look(frame)
                    limit.pause()
                    if self._source.is_device or self._source.is_stored:  # a pipe must not fill up behind them
                        self._closed.wait(max(0.0, _APART - monotonic() + began))
            self.ended = f"{self._name}: {self._observer.lack(self.reader.came) or 'there are no more frames'}"
        except Exception as error:  # of a library too: pictures are answered all the same
            self.ended = describe(error)[0].replace(self._source.name, self._name)
        if not self._closed.is_set():
            tell(f"camera: {self.ended}")

    def _look(self, frame: Frame) -> None:
        damaged = self._observer.damaged
        self._observer.look(frame)
        if self._observer.damaged > damaged:
            return
        self.newest = Shown(frame.number, frame.jpeg(), self._observer.reading)


def _without_digits(observation: Observation) -> dict[str, Any]:
    return {name: value for name, value in observation.to_dict().items() if name != "digits"}


def _fields(reading: Reading) -> dict[str, Any]:
    digits = [
        {
            "label": digit.prediction.label,
            "confidence": digit.prediction.confidence,
            "accepted": digit.prediction.accepted,
            "box": list(digit.box),
        }
        for digit in reading.digits
    ]
    return {"text": reading.text, "accepted": reading.accepted, "reason": reading.reason, "digits": digits}
