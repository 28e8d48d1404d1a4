"""Show progress and warnings on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mnist_edge_runtime.command_line import tell
from mnist_edge_runtime.text_output import printable
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

__all__ = ["LOG_INTERVAL", "progress_bar", "warn"]

LOG_INTERVAL = 5.0  # seconds between two lines of progress where no terminal shows them


def warn(message: str) -> None:
    """Print a warning on stderr, in colour on a terminal; its lines stay lines."""
    text = Text.assemble(("WARNING: ", "bold yellow"), printable(message, keep="\n"))
    Console(stderr=True).print(text, soft_wrap=True)


@contextmanager
def progress_bar(description: str, total: float | None, *, log: bool = False) -> Iterator[Callable[..., None]]:
    """Show a progress bar while the block runs, on a terminal; elsewhere, with `log`, a line every few seconds.

    Yields:
        `advance(amount, note="")`, which moves the bar and shows `note` after it.
    """
    if sys.stderr is None:  # it was closed when the process began
        yield lambda amount, note="": None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(), TextColumn("{task.fields[note]}"))
    console = Console(stderr=True)
    if log and not console.is_terminal:
        yield _LineLog(description, total).advance
        return
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(description, total=total, note="")
        yield lambda amount, note="": progress.update(task, advance=amount, note=note)


class _LineLog:
    """Prints how far a task is, a line every few seconds."""

    def __init__(self, description: str, total: float | None) -> None:
        self._description, self._total, self._done, self._printed = description, total, 0.0, time.monotonic()

    def advance(self, amount: float, note: str = "") -> None:
        self._done += amount
        if time.monotonic() - self._printed >= LOG_INTERVAL:
            self._printed = time.monotonic()
            share = f" {self._done / self._total:.0%}" if self._total else ""
            tell(f"{self._description}{share}  {note}".rstrip())
