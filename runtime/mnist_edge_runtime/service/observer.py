"""Turn frames into observations: what has become stable in view, and whether it keeps the rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from time import monotonic
from typing import Any

from ..classifier import Classifier
from ..errors import InputError
from .frame import Frame, FrameError
from .inbox import Inbox
from .number_reading import Reading, read_number
from .reading_rules import ReadingRules
from .region import Region
from .stability import STABLE, UNSTEADY, Stability

__all__ = ["Observation", "Observer"]


@dataclass(frozen=True)
class Observation:
    """What is in view of a camera.

    Attributes:
        time: when its frame was read, in UTC.
        frame: its number.
        reading: the number in view.
        remark: what is to be known of an accepted reading: it rolled over.
        frames: the number of consecutive frames that agree on it.
        moment: `time` by the clock that nobody sets.
    """

    time: datetime
    frame: int
    reading: Reading
    remark: str | None
    frames: int
    moment: float = field(default_factory=monotonic)

    @property
    def age(self) -> float:
        """Seconds since its frame was read."""
        return round(monotonic() - self.moment, 1)

    def to_dict(self) -> dict[str, Any]:
        """Return the observation as it stands in JSON."""
        digits = [
            {"label": digit.prediction.label, "confidence": digit.prediction.confidence, "box": list(digit.box)}
            for digit in self.reading.digits
        ]
        return {
            "time": self.time.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "frame": self.frame,
            "text": self.reading.text,
            "accepted": self.reading.accepted,
            "reason": self.reading.reason or self.remark,
            "digits": digits,
            "frames": self.frames,
        }


class Observer:
    """Reads frame after frame, and knows what was last stable in view.

    Attributes:
        reading: of the newest frame, stable or not.
        newest: the newest observation, with the boxes of its newest frame; None before there is one.
        damaged: number of frames that could not be read.
    """

    def __init__(
        self,
        classifier: Classifier,
        *,
        region: Region | None = None,
        rules: ReadingRules | None = None,
        tell: Callable[[str], None] = lambda sentence: None,
        inbox: Inbox | None = None,
    ) -> None:
        self._classifier, self._region, self._rules, self._tell = classifier, region, rules or ReadingRules(), tell
        self._inbox, self._was_told = inbox, False
        self._stability = Stability()
        self._key: tuple[str, bool, str | None] | None = None
        self._judged: tuple[str | None, str | None] = None, None
        self.reading = Reading("", reason=UNSTEADY)
        self.newest: Observation | None = None
        self.damaged = 0

    def look(self, frame: Frame) -> Observation | None:
        """Read a frame, and return an observation where what is in view has changed.

        Raises:
            InputError: the region is not inside the frame.
        """
        try:
            view = frame.view(self._region)
        except FrameError as error:
            self.damaged += 1
            if self.damaged == 1:
                self._tell(f"frame {frame.number} is left out: {error}; later ones like it are counted")
            return None
        self.reading = read_number(view, self._classifier)
        stable = self._stability.add(self.reading)
        if stable is None:
            return None
        reading, frames = stable
        key = reading.text, reading.accepted, None if reading.text else reading.reason
        is_new = key != self._key
        if is_new:
            self._key = key
            judged, remark = self._rules.judge(reading)
            self._judged = judged.reason, remark
            self._keep_unsure(reading)
        reason, remark = self._judged if reading.accepted else (reading.reason, None)
        now = datetime.now(timezone.utc)  # noqa: UP017  # Python 3.10 has no datetime.UTC
        self.newest = Observation(now, frame.number, Reading(reading.text, reading.digits, reason), remark, frames)
        return self.newest if is_new else None

    def _keep_unsure(self, reading: Reading) -> None:
        """Keep the digits that are not sure, as the network saw them: once while the same reading is in view."""
        if self._inbox is None:
            return
        for digit in reading.digits:
            if digit.prediction.accepted or digit.image is None:
                continue
            try:
                self._inbox.keep(digit.image)
            except (InputError, OSError) as error:  # what is in view is read all the same
                if not self._was_told:
                    self._tell(f"inbox {self._inbox.folder}: {error}; later ones like it are not told")
                self._was_told = True

    def lack(self, came: int) -> str | None:
        """Return why a source that has ended after so many frames gave no reading; None where it gave one."""
        if came == self.damaged:
            return "none of its frames can be read" if came else "no frame came"
        if self.newest:
            return None
        shown = self.reading.text or "no digit"
        told = f"1 frame (it shows {shown}) gives" if came == 1 else f"{came} frames (the last shows {shown}) give"
        return f"{told} no reading: {STABLE} in a row must agree; the commands read and classify answer single pictures"
