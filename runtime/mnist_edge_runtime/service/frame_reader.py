"""Read frames in a thread that keeps the newest one alone, and start a camera again when it ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from time import monotonic
from types import TracebackType

from ..errors import InputError
from .frame import Frame, Image
from .frame_sources import Source

__all__ = ["FrameReader"]

_FIRST_WAIT, _LONGEST_WAIT = 1.0, 30.0  # seconds until a camera that has ended is started again, ever twice as long
_LOOK_SECONDS = 0.25  # between two looks whether the process is told to stop
_SILENCE = 15.0  # seconds without a frame after which that is told


class FrameReader:
    """The newest frame of a source: memory holds one frame, however slow its consumer is.

    Frames of a camera that come while the one before is still being read are dropped. Others wait: none is dropped.

    Attributes:
        came, dropped: numbers of frames.
    """

    def __init__(self, source: Source, tell: Callable[[str], None], *, is_patient: bool = False) -> None:
        """Prepare to read; one that is patient waits for a camera that does not open, too, which else is an error."""
        self.came = self.dropped = 0
        self._source, self._tell, self._is_patient = source, tell, is_patient
        self._changed = threading.Condition()
        self._newest: Frame | None = None
        self._error: BaseException | None = None
        self._ended = False
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="frames", daemon=True)

    def __enter__(self) -> FrameReader:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._closed.set()
        with self._changed:
            self._changed.notify_all()
        self._source.close()
        self._thread.join(_LOOK_SECONDS if not self._source.is_device else 10 * _LOOK_SECONDS)

    def await_first(self) -> None:
        """Wait for the first frame.

        Raises:
            InputError: there is none.
        """
        with self._changed:
            self._changed.wait_for(lambda: self.came or self._ended)
        if not self.came:
            raise self._error or InputError(f"{self._source.name}: no frame came")

    def frames(self, is_stopped: Callable[[], bool]) -> Iterator[Frame]:
        """Yield the newest frame, once each, to the source's end or until told to stop.

        Raises:
            InputError: the source did not open, or broke off.
        """
        last, told = monotonic(), False
        while not is_stopped():
            with self._changed:
                if self._newest is None and not self._ended:
                    self._changed.wait(_LOOK_SECONDS)
                frame, self._newest = self._newest, None
                ended, error = self._ended, self._error
                self._changed.notify_all()
            if frame is not None:
                yield frame
                last, told = monotonic(), False
            elif ended:
                if error:
                    raise error
                return
            elif not told and monotonic() - last > _SILENCE:
                told = True
                self._tell(f"{self._source.name}: no frame for {_SILENCE:g} seconds; still waiting")

    def _run(self) -> None:
        try:
            wait = _FIRST_WAIT
            while True:
                before = self.came
                try:
                    for image in self._source.frames():
                        if not self._put(image):
                            return
                    return
                except InputError as error:
                    if not self._source.is_device or not (self.came or self._is_patient):
                        raise
                    if self._closed.is_set():
                        return
                    wait = _FIRST_WAIT if self.came > before else min(2 * wait, _LONGEST_WAIT)
                    self._tell(f"{error}; it is started again in {wait:g} s")
                if self._closed.wait(wait):
                    return
        except Exception as error:  # of a library; the thread that takes the frames reports it
            self._error = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _put(self, image: Image) -> bool:
        """Make a frame the newest; unless it is a camera's, once the one before is taken. False to stop."""
        with self._changed:
            while self._newest is not None and not self._source.is_device and not self._closed.is_set():
                self._changed.wait()
            self.dropped += self._newest is not None
            self.came += 1
            self._newest = Frame(self.came, image)
            self._changed.notify_all()
        return not self._closed.is_set()
