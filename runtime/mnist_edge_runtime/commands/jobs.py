"""Choose in how many processes pictures are answered: the option --jobs."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import TypeVar

from .. import host
from ..command_line import tell

__all__ = ["add_option", "choose"]

_FEW = 200  # pictures, of which one process is done before others have started
_LEAST_MEMORY = 10**9  # bytes that must be available
_PROCESS_MEMORY = 200_000_000  # bytes: an engine, and a picture of 20 megapixels
_MOST = 60  # processes, as many as Windows can wait for

Item = TypeVar("Item")


def add_option(parser: argparse.ArgumentParser) -> None:
    """Add the option."""
    parser.add_argument(
        "--jobs",
        type=_count,
        metavar="N",
        help=f"Number of processes for more than {_FEW} pictures; 1 for stdin, for --no-verify and with less than 1 GB "
        "of free memory. (default: one for each core)",
    )


def _count(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= _MOST:
        raise argparse.ArgumentTypeError(f"{text} is no number from 1 to {_MOST}")
    return int(text)


def choose(items: Iterable[Item], asked: int | None, obstacle: str | None = None) -> tuple[Iterable[Item], int]:
    """Return the items and the number of processes that answer them.

    Args:
        items: what is to be answered; no more of them are taken than needed to see whether they are few.
        asked: the number that was asked for; it is said where it cannot be.
        obstacle: why one process has to do, if it has to.
    """
    if asked == 1:
        return items, 1
    memory = host.available_memory()
    if not obstacle and memory is not None and memory < _LEAST_MEMORY:
        obstacle = f"{memory // 10**6} MB of memory are available, and more processes need {_LEAST_MEMORY // 10**6}"
    if obstacle:
        if asked:
            tell(f"--jobs {asked}: one process answers, since {obstacle}")
        return items, 1
    iterator: Iterator[Item] = iter(items)
    first = [*islice(iterator, _FEW + 1)]
    if len(first) <= _FEW:
        return first, 1
    fitting = _MOST if memory is None else memory // _PROCESS_MEMORY
    return chain(first, iterator), asked or min(host.cores(), fitting, _MOST)
