"""Tell a loop that SIGTERM or SIGINT came, so that it ends after the work at hand."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["until_stopped"]


@contextmanager
def until_stopped() -> Iterator[Callable[[], bool]]:
    """Yield the function that tells whether SIGTERM or SIGINT came; a second one ends the process immediately."""
    came: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def note(number: int, frame: FrameType | None) -> None:
        came.append(number)
        signal.signal(number, signal.SIG_DFL)

    for number in before:
        signal.signal(number, note)
    try:
        yield lambda: bool(came)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
