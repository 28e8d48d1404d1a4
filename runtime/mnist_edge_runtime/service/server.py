"""Serve the application with uvicorn until SIGTERM or SIGINT, and end after the last answer."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from ..command_line import tell
from ..errors import InputError
from .limits import Limits

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from .app import Service

__all__ = ["ALL_ANSWERED", "NOT_ALL_ANSWERED", "bind", "end_within", "serve"]

ALL_ANSWERED = "stopped; all that was taken is answered"
NOT_ALL_ANSWERED = "stopped; not all that was taken is answered"

_BACKLOG = 128  # connections that the kernel keeps until they are accepted
_LAST_CALL = 0.3  # seconds for requests on open connections after the signal to stop
_SPARE = 5.0  # seconds beyond the limit on an answer after which the service ends in any case
_PATIENCE = 2.0  # seconds after a second signal to stop, for the pictures at hand
_ADVICE = {
    errno.EADDRINUSE: "end what listens there, or take another --port",
    errno.EADDRNOTAVAIL: "it is no address of this machine; name one with --host",
    errno.EACCES: "ports below 1024 are for root; take another --port",
}


def bind(host: str, port: int) -> socket.socket:
    """Return the socket of a service, not yet listening.

    Raises:
        InputError: the address is none of this machine, or it is in use, or not permitted.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE | socket.AI_NUMERICSERV
        )[0]
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise InputError(f"--host {host}: {why}; name an address of this machine, such as 127.0.0.1") from None
    # With the protocol named, which asyncio looks at before it sends small parts without delay.
    bound = socket.socket(family, kind, protocol or socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections of the service before may linger
        bound.bind(address)
        bound.listen(_BACKLOG)
    except OSError as error:
        bound.close()
        advice = _ADVICE.get(error.errno or 0, "name another address with --host or --port")
        raise InputError(f"{host} port {port}: {error.strerror or error}; {advice}") from None
    return bound


def serve(app: ASGIApp, service: Service, bound: socket.socket, announce: Callable[[], None]) -> bool:
    """Answer requests until SIGTERM or SIGINT, and return whether all that were taken are answered.

    A second signal ends it without waiting for answers, and so does the limit on their time. Threads that are at work
    then have two seconds to end before the process ends without them.

    Args:
        app: the application.
        service: its state.
        bound: the socket, from `bind`.
        announce: says that requests are answered.
    """
    logging.getLogger("python_multipart").setLevel(logging.CRITICAL)  # it would log what is wrong with each form
    limits = service.limits
    config = uvicorn.Config(
        app,
        http=_protocol(limits),
        ws="none",
        lifespan="off",
        loop="asyncio",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=limits.connections,
        timeout_keep_alive=round(limits.head_seconds),
        timeout_graceful_shutdown=round(limits.seconds + _SPARE),
        h11_max_incomplete_event_size=limits.head,
    )
    server = _Server(config, service, announce)
    server.run([bound])
    return not server.gave_up


def end_within(seconds: float, sentence: str) -> None:
    """Say the sentence and end the process with 0 unless it has ended by then: work at hand cannot be stopped."""

    def end() -> None:
        tell(sentence)
        os._exit(0)

    last = threading.Timer(seconds, end)
    last.daemon = True
    last.start()


def _protocol(limits: Limits) -> type[H11Protocol]:
    """Return uvicorn's protocol, with limits on the time of a request's head, and on that in which nothing is read."""

    class Protocol(H11Protocol):
        _timer: asyncio.TimerHandle | None = None
        _stalled: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            self._timer = self.loop.call_later(limits.head_seconds, self._end_if_waiting)

        def connection_lost(self, exc: Exception | None) -> None:
            for timer in (self._timer, self._stalled):
                if timer:
                    timer.cancel()
            super().connection_lost(exc)

        def pause_writing(self) -> None:
            super().pause_writing()
            self._stalled = self.loop.call_later(limits.seconds, self.transport.abort)

        def resume_writing(self) -> None:
            super().resume_writing()
            if self._stalled:
                self._stalled.cancel()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            # uvicorn's own timer stops with the first byte of the next request.
            if self._timer:
                self._timer.cancel()
            self._timer = self.loop.call_later(limits.head_seconds, self._end_if_waiting)

        def _end_if_waiting(self) -> None:
            """End the connection if its next request is not complete up to the end of its head."""
            if self.conn.their_state is h11.IDLE and (self.cycle is None or self.cycle.response_complete):
                self.transport.close()

    return Protocol


class _Server(uvicorn.Server):
    """uvicorn's server, which ends with 0 when it was told to, and after requests on open connections."""

    def __init__(self, config: uvicorn.Config, service: Service, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._service, self._announce = service, announce
        self.gave_up = False  # whether requests were left without an answer

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer; from here on signals are taken."""
        await super().startup(sockets)
        self._announce()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take the signals for the time of the block; uvicorn's own way would send them to the process afterwards."""
        handlers = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop; a second signal does not wait."""
        if self.should_exit and not self.force_exit:
            logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # not of each request that is cut off
            end_within(_PATIENCE, NOT_ALL_ANSWERED)
        self.force_exit = self.should_exit
        self.should_exit = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting, answer what is on its way on open connections, then close them."""
        self._service.stopping = True  # from now on no answer keeps its connection open
        await asyncio.sleep(0)  # connections that the kernel has accepted become ours
        for server in self.servers:
            server.close()
        until = self._loop_time() + _LAST_CALL
        while self.server_state.connections and not self.force_exit and self._loop_time() < until:
            await asyncio.sleep(0.01)
        stopped = asyncio.ensure_future(super().shutdown(sockets))
        while not stopped.done():
            if self.force_exit:
                self.gave_up = self.gave_up or bool(self.server_state.tasks)
                for connection in list(self.server_state.connections):
                    connection.transport.abort()
            await asyncio.wait({stopped}, timeout=0.1)
        self.gave_up = self.gave_up or self._loop_time() - until >= (self.config.timeout_graceful_shutdown or 0)
        await stopped

    @staticmethod
    def _loop_time() -> float:
        return asyncio.get_running_loop().time()
