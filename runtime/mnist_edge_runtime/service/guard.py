"""Stand between the connection and the application: who may ask, headers of every answer, and counting."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable, Collection
from contextlib import suppress
from time import perf_counter
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse

from ..command_line import print_error
from ..errors import MnistEdgeError, describe
from .refusal import RefusalError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from .access import Access
    from .metrics import Metrics

__all__ = ["Guard", "refused"]

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
_DRAINED = (2.0, 64_000_000)  # seconds and bytes of a refused body that are read, so that its sender gets to the answer


def refused(refusal: RefusalError) -> JSONResponse:
    """Return the answer to a request that is refused."""
    return JSONResponse({"error": refusal.sentence}, refusal.status, refusal.headers)


class Guard:
    """Let requests through to the application.

    Args:
        app: the application.
        access: who may ask.
        metrics: counts the requests.
        routes: the paths that there are; others are counted together.
        is_stopping: returns whether the service is about to end, so that no connection is kept.
        debug: print where an error comes from.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        access: Access,
        metrics: Metrics,
        routes: Collection[str],
        is_stopping: Callable[[], bool],
        debug: bool,
    ) -> None:
        self._app, self._access, self._metrics, self._routes = app, access, metrics, routes
        self._is_stopping, self._debug = is_stopping, debug

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; the interface of ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = perf_counter()
        exchange = _Exchange(receive, send, Headers(scope=scope), self._is_stopping)
        try:
            self._access.check(scope["method"], scope["path"], exchange.headers)
            await self._app(scope, exchange.receive, exchange.send)
        except RefusalError as refusal:
            await refused(refusal)(scope, exchange.receive, exchange.send)
        except Exception as error:
            if exchange.status:
                raise  # half of the answer is sent, so the connection must end
            if self._debug:
                traceback.print_exc()
            told, _ = describe(error)
            print_error(told)
            known = isinstance(error, MnistEdgeError)
            answer = JSONResponse({"error": told if known else "internal error; the log of the service has more"}, 500)
            await answer(scope, exchange.receive, exchange.send)
        finally:
            route = scope["path"] if scope["path"] in self._routes else "other"
            self._metrics.request(route, exchange.status, perf_counter() - started)


class _Exchange:
    """A request and its answer."""

    def __init__(self, receive: Receive, send: Send, headers: Headers, is_stopping: Callable[[], bool]) -> None:
        self.headers, self.status = headers, 0
        self._receive, self._send, self._is_stopping = receive, send, is_stopping
        length = headers.get("content-length", "0")
        self._has_more = "transfer-encoding" in headers or length.strip("0") != ""

    async def receive(self) -> Message:
        """Return the next part of the request."""
        message = await self._receive()
        self._has_more = message["type"] == "http.request" and message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        """Send a part of the answer."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            if self._has_more or self._is_stopping():
                headers["Connection"] = "close"
        elif self._has_more and not message.get("more_body"):
            await self._send({**message, "more_body": True})
            await self._drain()
            message = {"type": "http.response.body", "body": b""}
        await self._send(message)

    async def _drain(self) -> None:
        """Read what is still coming: where a connection is closed before, its other end may never see the answer."""
        seconds, most = _DRAINED
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._read(most), seconds)

    async def _read(self, left: int) -> None:
        while self._has_more and left > 0:
            left -= len((await self.receive()).get("body", b""))
