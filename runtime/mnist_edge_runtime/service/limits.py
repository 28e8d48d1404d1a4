"""Limit what a request, and all requests together, may take of this machine."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Limits"]


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
