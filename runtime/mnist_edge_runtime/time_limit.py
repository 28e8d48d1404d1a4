"""End this process when a step takes too long: an engine in an endless loop notices no signal handler."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

__all__ = ["ENDLESS", "time_limit"]

ENDLESS = "the model may loop for ever, or this machine is too slow for it"


@contextmanager
def time_limit(seconds: float, message: str, code: int) -> Iterator[Callable[[], None]]:
    """Print `message` on stderr and end the process with `code` if the block takes longer than `seconds`.

    Yields:
        A function that starts the time again from zero, for a block of many steps.
    """
    again = threading.Event()
    is_over = False

    def watch() -> None:
        while again.wait(seconds):
            if is_over:
                return
            again.clear()
        # Not through Python's stderr: what an engine prints may be captured just now.
        with suppress(OSError):
            os.write(stderr, f"{message}\n".encode())
        os._exit(code)

    if sys.stdout:
        sys.stdout.flush()  # os._exit leaves what is still buffered unwritten
    stderr = _stderr()
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield again.set
    finally:
        is_over = True
        again.set()
        watcher.join()
        os.close(stderr)


def _stderr() -> int:
    """Return a second descriptor of stderr; of nothing where the process was started without it."""
    try:
        return os.dup(2)
    except OSError:
        return os.open(os.devnull, os.O_WRONLY)
