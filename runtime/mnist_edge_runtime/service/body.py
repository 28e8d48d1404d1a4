"""Read the body of a request within its limits, whatever its Content-Length says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect

from .limits import content_length
from .refusal import RefusalError

if TYPE_CHECKING:
    from starlette.requests import Request

    from .limits import Limits

__all__ = ["Bodies"]


class Bodies:
    """All bodies that are in memory."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._most = max(limits.bodies, limits.body)
        self._bytes = 0

    @asynccontextmanager
    async def of(self, request: Request) -> AsyncIterator[bytes]:
        """Yield the body of a request; the memory that it takes is counted until the block ends.

        Raises:
            RefusalError: it is too large, or arrives too slowly, or all bodies together are too large.
        """
        taken = 0
        parts: list[bytes] = []
        try:
            if content_length(request.headers.get("content-length", "0"), self._limits.body) > self._limits.body:
                raise self._too_large()
            stream = request.stream()
            deadline = asyncio.get_running_loop().time() + self._limits.body_seconds
            while True:
                left = deadline - asyncio.get_running_loop().time()
                try:
                    part = await asyncio.wait_for(anext(stream), max(0, left))
                except StopAsyncIteration:
                    break
                taken += len(part)
                self._bytes += len(part)
                if taken > self._limits.body:
                    raise self._too_large()
                if self._bytes > self._most:
                    raise RefusalError(429, "too many requests at a time; send it again later", {"Retry-After": "1"})
                parts.append(part)
            request._body = b"".join(parts)  # where Starlette's parser of forms looks for it
            yield request._body
        except asyncio.TimeoutError:  # noqa: UP041  # another class in Python 3.10
            seconds = f"{self._limits.body_seconds:g} seconds"
            raise RefusalError(408, f"the body did not arrive within {seconds}; send it again", _CLOSE) from None
        except ClientDisconnect:
            raise RefusalError(400, "the connection ended before the body", _CLOSE) from None
        finally:
            self._bytes -= taken

    def _too_large(self) -> RefusalError:
        told = f"the body has more than {self._limits.body:,} bytes; scale the picture down, or send fewer"
        return RefusalError(413, told, _CLOSE)


_CLOSE = {"Connection": "close"}
