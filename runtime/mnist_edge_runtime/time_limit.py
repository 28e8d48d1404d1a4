"""End this process when a step takes too long: an engine in an endless loop notices no signal handler."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from time import monotonic

from .errors import EngineError
from .text_output import printable

__all__ = ["ENDLESS", "SECONDS", "Limit", "model_limit", "time_limit"]

SECONDS = 120.0  # seconds for loading a model or for an answer, of which the slowest boards need a few
ENDLESS = "the model may loop for ever, or this machine is too slow for it"


class Limit:
    """The time of a step. To begin and to end one costs nothing to speak of: nothing wakes for it."""

    def __init__(self) -> None:
        self.since: float | None = monotonic()

    def again(self) -> None:
        """Begin a step: the time starts from zero."""
        self.since = monotonic()

    def pause(self) -> None:
        """End a step: until the next one, time does not count."""
        self.since = None


@contextmanager
def time_limit(seconds: float, message: str, code: int) -> Iterator[Limit]:
    """Print `message` on stderr and end the process with `code` if the block takes longer than `seconds`.

    Yields:
        The limit's time, to be started again for a block of many steps.
    """
    limit, over = Limit(), threading.Event()

    def watch() -> None:
        left = seconds
        while left > 0:
            if over.wait(left):
                return
            since = limit.since
            left = seconds if since is None else since + seconds - monotonic()
        # Not through Python's stderr: what an engine prints may be captured just now.
        with suppress(OSError):
            os.write(stderr, f"{message}\n".encode(errors="backslashreplace"))
        os._exit(code)

    if sys.stdout:
        sys.stdout.flush()  # os._exit leaves what is still buffered unwritten
    stderr = _stderr()
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield limit
    finally:
        over.set()
        watcher.join()
        os.close(stderr)


def model_limit(model: object, step: str) -> AbstractContextManager[Limit]:
    """Return the limit on the time of a step, such as "load", with a model file, of which each may take `SECONDS`."""
    late = f"{printable(str(model or 'the model'))}: did not {step} within {SECONDS:g} seconds: {ENDLESS}"
    return time_limit(SECONDS, f"error: {late}", EngineError.exit_code)


def _stderr() -> int:
    """Return a second descriptor of stderr; of nothing where the process was started without it."""
    try:
        return os.dup(2)
    except OSError:
        return os.open(os.devnull, os.O_WRONLY)
