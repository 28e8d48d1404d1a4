"""Refuse a request: a status of HTTP, and the sentence that says why."""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic

__all__ = ["RefusalError", "check_time"]


class RefusalError(Exception):
    """A request that is not answered as it was meant.

    Attributes:
        status: of the answer.
        sentence: why, and what to do next, as the command line would say it.
        headers: of the answer, besides those that every answer has.
    """

    def __init__(self, status: int, sentence: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(sentence)
        self.status, self.sentence, self.headers = status, sentence, dict(headers or {})


def check_time(deadline: float) -> None:
    """Raise RefusalError after a time, of `monotonic`, at which nobody waits for the answer any longer."""
    if monotonic() > deadline:
        raise RefusalError(503, "there was no time left for all pictures; send fewer", {"Retry-After": "1"})
