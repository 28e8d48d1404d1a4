"""Through sockets: the right answer to each, limits on slow and on many senders, and an end that loses nothing."""

from __future__ import annotations

import asyncio
import io
import json
import random
import signal
import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPConnection
from time import monotonic
from typing import Any

import pytest
import uvicorn
from mnist_edge_runtime import Classifier, InputError
from mnist_edge_runtime.preprocessing.image_io import load_picture
from mnist_edge_runtime.preprocessing.mnist import to_mnist
from mnist_edge_runtime.service import server
from mnist_edge_runtime.service.limits import Limits
from PIL import Image
from uvicorn.server import ServerState

from .conftest import OCTETS, Running, form

_HEAD = b"POST /v1/classify HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/octet-stream\r\n"


def _post(connection: HTTPConnection, data: bytes) -> list[float]:
    """Return the probabilities that the service answers on a connection that stays open."""
    connection.request("POST", "/v1/classify", data, OCTETS)
    response = connection.getresponse()
    assert response.status == 200
    (entry,) = json.loads(response.read())["predictions"]
    return [*entry["probabilities"]]


def test_of_many_requests_by_many_connections_each_gets_its_own_answer(
    running: Running, classifier: Classifier, drawn: Sequence[bytes]
) -> None:
    expected = [classifier.classify(to_mnist(load_picture(io.BytesIO(data)))).probabilities.tolist() for data in drawn]
    assert len({tuple(each) for each in expected}) == len(drawn)

    def ask(seed: int) -> int:
        connection, order = running.connection(), random.Random(seed).choices(range(len(drawn)), k=13)
        right = sum(_post(connection, drawn[place]) == expected[place] for place in order)
        connection.close()
        return right

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(8))) == [13] * 8


@pytest.mark.long
def test_a_head_that_does_not_come_ends_the_connection_and_no_other_waits_for_it(running: Running) -> None:
    first = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    sent = [b"", b"POST /v1/classify HT", _HEAD, _HEAD + b"Content-Length: 5", first + b"GET /hea", first]
    slow = [socket.create_connection(("127.0.0.1", running.port), timeout=30) for _ in sent]
    for connection, part in zip(slow, sent, strict=True):
        connection.sendall(part)
    assert running.ask("GET", "/healthz").status == 200
    for connection, part in zip(slow, sent, strict=True):
        received = b""
        while more := connection.recv(1000):
            received += more
        assert received.count(b"HTTP/1.1 200 ") == received.count(b"HTTP/1.1") == part.startswith(first)
        connection.close()


def test_a_head_that_is_too_long_or_none_is_refused(running: Running) -> None:
    for sent in (
        b"GET /" + b"a" * Limits().head + b" HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", running.port), timeout=30) as odd:
            odd.sendall(sent)
            assert odd.recv(100).startswith(b"HTTP/1.1 4")


def test_a_large_body_is_refused_and_its_sender_gets_to_know(running: Running) -> None:
    body = bytes(3_000_000)
    assert running.ask("POST", "/v1/classify", body).status == 413
    chunked = b"".join(b"10000\r\n" + bytes(0x10000) + b"\r\n" for _ in range(40)) + b"0\r\n\r\n"
    with socket.create_connection(("127.0.0.1", running.port), timeout=30) as sender:
        sender.sendall(_HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + chunked)
        assert sender.recv(100).startswith(b"HTTP/1.1 413 ")


def test_half_bodies_and_hasty_ends_cost_nothing(running: Running, drawn: Sequence[bytes]) -> None:
    for length in (1, 100, len(drawn[0])):
        with socket.create_connection(("127.0.0.1", running.port), timeout=30) as hasty:
            hasty.sendall(_HEAD + b"Content-Length: 100000\r\n\r\n" + drawn[0][:length])
    assert running.ask("POST", "/v1/classify", drawn[0]).status == 200


def _under_load(running: Running, drawn: Sequence[bytes], stop: Callable[[], None]) -> tuple[int, list[str]]:
    """Return how many requests were answered by 8 connections until the service ended, and how each one ended."""
    answered, ends, enough = [0], [], threading.Event()

    def ask(number: int) -> None:
        connection, sent = running.connection(), False
        try:
            while True:
                sent = False
                connection.request("POST", "/v1/classify", drawn[number], OCTETS)
                sent = True
                response = connection.getresponse()
                assert response.status == 200
                response.read()
                answered[0] += 1
                if answered[0] > 40:
                    enough.set()
                if response.will_close:
                    ends.append("told")
                    return
        except OSError:
            ends.append("lost" if sent else "refused")

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    assert enough.wait(60)
    stop()
    for thread in threads:
        thread.join(60)
    return answered[0], ends


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_under_load_it_answers_what_it_took(
    start: Callable[..., Running], drawn: Sequence[bytes], number: signal.Signals
) -> None:
    running = start("--network", "small")
    answered, ends = _under_load(running, drawn, lambda: running.process.send_signal(number))
    assert answered > 40
    assert ends == ["told"] * 8
    assert running.ended() == (0, "stopped; all that was taken is answered\n")


def test_killed_under_load_it_starts_again_on_the_same_port(
    start: Callable[..., Running], drawn: Sequence[bytes]
) -> None:
    first = start("--network", "small")
    _under_load(first, drawn, first.process.kill)
    again = start("--network", "small", "--port", str(first.port))
    assert again.port == first.port
    assert again.ask("POST", "/v1/classify", drawn[0]).status == 200


def _wait_until_refused(port: int) -> None:
    with suppress(ConnectionRefusedError):
        while True:
            socket.create_connection(("127.0.0.1", port), timeout=30).close()


def test_a_second_signal_does_not_wait(start: Callable[..., Running]) -> None:
    running = start("--network", "small")
    with socket.create_connection(("127.0.0.1", running.port), timeout=30) as slow:
        slow.sendall(_HEAD + b"Content-Length: 100000\r\n\r\nhalf")
        assert running.ask("GET", "/healthz").status == 200  # so the other connection is known
        running.process.terminate()
        _wait_until_refused(running.port)
        running.process.terminate()
        assert running.ended() == (0, "stopped; not all that was taken is answered\n")


@pytest.mark.long
def test_a_second_signal_ends_threads_that_are_at_work(start: Callable[..., Running]) -> None:
    """A request with pictures that take half a minute is under way; a second signal gives its thread two seconds."""
    stream = io.BytesIO()
    Image.new("L", (4000, 3000), 230).save(stream, "PNG")
    body, headers = form({f"{number}.png": stream.getvalue() for number in range(100)})
    running = start("--network", "small", "--max-body", "5MB")
    connection = running.connection()
    connection.request("POST", "/v1/read", body, headers)
    while b"mnist_edge_prepare_seconds_count 0.0" in running.ask("GET", "/metrics").body:
        pass
    running.process.terminate()
    _wait_until_refused(running.port)
    began = monotonic()
    running.process.terminate()
    assert running.ended() == (0, "stopped; not all that was taken is answered\n")
    assert monotonic() - began < 8
    connection.close()


@pytest.mark.parametrize(
    ("host", "told"),
    [
        ("no.such.host.invalid", "name an address of this machine"),
        ("203.0.113.1", "no address of this machine"),
        ("", ""),
    ],
)
def test_an_address_that_cannot_be_bound_is_told(host: str, told: str) -> None:
    if not host:
        with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(InputError, match="another --port"):
            server.bind("127.0.0.1", taken.getsockname()[1])
    else:
        with pytest.raises(InputError, match=told):
            server.bind(host, 0)


def test_a_port_that_is_not_permitted_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def bind(self: socket.socket, address: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(server.socket.socket, "bind", bind)
    with pytest.raises(InputError, match="ports below 1024 are for root"):
        server.bind("127.0.0.1", 80)


def test_small_answers_are_sent_without_delay() -> None:
    with server.bind("127.0.0.1", 0) as bound:
        assert bound.proto == socket.IPPROTO_TCP  # asyncio sets TCP_NODELAY on such connections alone


def test_a_connection_whose_other_end_does_not_read_is_ended() -> None:
    """A viewer of a live picture must not keep what it does not take."""
    assert asyncio.run(asyncio.wait_for(_is_ended_by_the_server(), 60))


async def _is_ended_by_the_server() -> bool:
    gone = asyncio.Event()

    async def endless(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

        async def listen() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            gone.set()

        listener = asyncio.ensure_future(listen())
        while not gone.is_set():
            await send({"type": "http.response.body", "body": bytes(100_000), "more_body": True})
            await asyncio.sleep(0)
        await listener

    config = uvicorn.Config(endless, lifespan="off", log_config=None)
    config.load()
    protocol = server._protocol(Limits(seconds=0.2))
    loop = asyncio.get_running_loop()
    listening = await loop.create_server(
        lambda: protocol(config=config, server_state=ServerState(), app_state={}), "127.0.0.1", 0
    )
    async with listening:
        client = socket.create_connection(listening.sockets[0].getsockname())
        client.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        await gone.wait()
        client.close()
    return gone.is_set()
