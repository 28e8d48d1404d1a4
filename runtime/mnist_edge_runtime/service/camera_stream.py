"""Show a camera to browsers: the live picture with what is read in it, and the newest reading."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .refusal import RefusalError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from .app import Service
    from .camera import Camera, Shown

__all__ = ["PATH", "READING", "routes"]

PATH, READING = "/v1/camera", "/v1/reading"
_VIEWERS = 8  # at a time
_LOOK_SECONDS = 0.02  # between two looks whether there is a newer frame
_BOUNDARY = "frame"
_TYPE = f"multipart/x-mixed-replace; boundary={_BOUNDARY}"


def routes(camera: Camera, service: Service) -> tuple[Route, ...]:
    """Return the routes of a service with a camera, which all viewers share."""
    viewers: set[_Stream] = set()

    async def stream(request: Request) -> Response:
        if request.method == "HEAD":
            return Response(media_type=_TYPE)
        if camera.ended and not camera.newest:
            raise RefusalError(503, camera.ended)
        if len(viewers) >= _VIEWERS:
            raise RefusalError(429, f"{_VIEWERS} viewers look at the camera already; close one of their pages")
        return _Stream(camera, service, viewers)

    async def reading(request: Request) -> Response:
        return JSONResponse(camera.reading())

    return Route(PATH, stream), Route(READING, reading)


class _Stream(Response):
    """The live picture: a part for each frame, of which a slow viewer gets fewer; after the end the last one.

    Nothing is kept for a viewer: the next frame is taken when the one before is on its way. The server ends the
    connection of one that does not read.
    """

    def __init__(self, camera: Camera, service: Service, viewers: set[_Stream]) -> None:
        super().__init__(media_type=_TYPE)
        del self.headers["content-length"]
        self._camera, self._service, self._viewers = camera, service, viewers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send frames until the viewer goes, the camera ends, or the service does."""
        self._viewers.add(self)
        gone = asyncio.ensure_future(_is_gone(receive))
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            last = 0
            while not (gone.done() or self._camera.ended or self._service.stopping):
                shown = self._camera.newest
                if shown is None or shown.number == last:
                    await asyncio.sleep(_LOOK_SECONDS)
                    continue
                last = shown.number
                await self._send(shown, send)
            if self._camera.ended and self._camera.newest:
                await self._send(self._camera.newest, send)  # the last one, with the reason
            await send({"type": "http.response.body", "body": f"--{_BOUNDARY}--\r\n".encode()})
        finally:
            self._viewers.discard(self)
            gone.cancel()
            with suppress(asyncio.CancelledError):
                await gone

    async def _send(self, shown: Shown, send: Send) -> None:
        head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(shown.jpeg)}\r\n"
        head += f"X-Reading: {self._camera.caption(shown)}\r\n\r\n"
        await send({"type": "http.response.body", "body": head.encode() + shown.jpeg, "more_body": True})
        await send({"type": "http.response.body", "body": b"\r\n", "more_body": True})


async def _is_gone(receive: Receive) -> None:
    """Return when the viewer has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
