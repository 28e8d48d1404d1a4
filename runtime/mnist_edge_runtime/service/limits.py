"""Limit what a request, and all requests together, may take of this machine."""

from __future__ import annotations

from dataclasses import dataclass

from .refusal import RefusalError

__all__ = ["Limits", "content_length"]


@dataclass(frozen=True)
class Limits:
    """The limits of a service.

    Attributes:
        body: bytes of the body of a request.
        bodies: bytes of all bodies that are in memory at a time; one more is refused.
        pictures: of a request.
        waiting: requests that wait for a free thread; one more is refused.
        seconds: for the answer to a request, from when its body is there.
        body_seconds: for a body to arrive.
        head_seconds: for the head of a request to arrive, and for the next request of a connection.
        head: bytes of the head of a request.
        connections: open at a time.
    """

    body: int = 1_000_000
    bodies: int = 32_000_000
    pictures: int = 100
    waiting: int = 64
    seconds: float = 30.0
    body_seconds: float = 10.0
    head_seconds: float = 5.0
    head: int = 16_384
    connections: int = 256


def content_length(header: str, most: int) -> int:
    """Return the number of bytes that a header Content-Length says, or one above `most` where it says more than that.

    Raises:
        RefusalError: it says no number.
    """
    if not (header.isascii() and header.isdecimal()):
        raise RefusalError(400, "the header Content-Length is no number of bytes")
    digits = header.lstrip("0")
    return min(int(digits or "0"), most + 1) if len(digits) <= len(str(most)) else most + 1  # int() refuses thousands
