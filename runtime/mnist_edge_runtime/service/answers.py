"""Answer the pictures of a request: what the network saw, what it says, and how long each step took."""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from ..answer_fields import blank_fields, lines_fields, prediction_fields
from ..classifier import Classifier
from ..errors import BlankError, InputError
from ..line_reader import enlarged, read_lines
from ..preprocessing import mnist
from .pictures import Picture, Pictures
from .refusal import RefusalError, check_time

__all__ = ["Answers"]

_LARGE = 4_000_000  # pixels; of a picture that has more, one is decoded at a time
_NO_MEMORY = "there is not enough memory for this picture; scale it down"


@dataclass(frozen=True)
class Answers:
    """Answer requests with a classifier.

    Attributes:
        classifier: answers all of them.
        observe: gets the seconds that a step took, "prepare" or "engine", of each picture.
    """

    classifier: Classifier
    observe: Callable[[str, float], None]
    _large: threading.Lock = field(default_factory=threading.Lock)

    def classify(
        self, take: Callable[[], Pictures], preprocess: str, with_image: bool, deadline: float
    ) -> dict[str, Any]:
        """Return the predictions for the pictures that `take` returns; one that cannot be read has an error.

        Raises:
            RefusalError: the only picture cannot be read, or `take` raises it.
        """
        found = take()

        def answer(picture: Picture) -> dict[str, Any]:
            watch = _Watch(self.observe)
            try:
                try:
                    with self._in_turn(picture):
                        image = mnist.to_mnist(picture.load(False), found.preprocess or preprocess)
                finally:
                    watch.ends("prepare")
            except BlankError as error:
                return {**blank_fields(str(error)), "milliseconds": watch.milliseconds}
            prediction = self.classifier.classify(image)
            watch.ends("engine")
            fields = {**prediction_fields(prediction), "milliseconds": watch.milliseconds}
            return {**fields, "image": base64.b64encode(image.tobytes()).decode()} if with_image else fields

        return {"model": self._name, "predictions": [*_each(found, answer, deadline)]}

    def read(self, take: Callable[[], Pictures], deadline: float) -> dict[str, Any]:
        """Return the lines of digits on the pictures that `take` returns; one that cannot be read has an error.

        Raises:
            RefusalError: as `classify`.
        """

        def answer(picture: Picture) -> dict[str, Any]:
            watch = _Watch(self.observe)
            with self._in_turn(picture):
                try:
                    pixels = picture.load(True)
                finally:
                    watch.ends("prepare")
                try:
                    lines, reason = read_lines(pixels, self.classifier), None
                except BlankError as error:
                    lines, reason = [], str(error)
                watch.ends("engine")
            by = picture.shrunk_by(pixels)
            return {**lines_fields(enlarged(lines, by), reason), "milliseconds": watch.milliseconds}

        found = take()
        if found.preprocess is not None:
            raise RefusalError(400, "pages are always prepared; leave preprocess out")
        return {"model": self._name, "readings": [*_each(found, answer, deadline)]}

    def _in_turn(self, picture: Picture) -> AbstractContextManager[object]:
        """Return what lets large pictures wait for each other: together they would fill the memory of a small board."""
        return self._large if picture.size() > _LARGE else nullcontext()

    @property
    def _name(self) -> str:
        return self.classifier.file.name if self.classifier.file else ""


class _Watch:
    """Take the time of each step."""

    def __init__(self, observe: Callable[[str, float], None]) -> None:
        self.milliseconds = {"prepare": 0.0, "engine": 0.0}
        self._observe, self._since = observe, perf_counter()

    def ends(self, step: str) -> None:
        """End a step, and begin the next one."""
        now = perf_counter()
        self._observe(step, now - self._since)
        self.milliseconds[step] = round(1000 * (now - self._since), 4)
        self._since = now


def _each(found: Pictures, answer: Callable[[Picture], dict[str, Any]], deadline: float) -> Iterator[dict[str, Any]]:
    for picture in found.pictures:
        check_time(deadline)
        named = {} if picture.name is None else {"file": picture.name}
        try:
            yield {**named, **answer(picture)}
        except (InputError, MemoryError) as error:
            told = _NO_MEMORY if isinstance(error, MemoryError) else str(error)
            if found.is_single or len(found.pictures) == 1:
                raise RefusalError(422, told) from None
            yield {**named, "error": told}
