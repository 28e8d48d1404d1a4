"""A service in this process, asked by the interface of ASGI; and one in a process of its own, asked through sockets."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

import numpy as np
import pytest
from mnist_edge_runtime import Classifier
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.preprocessing.mnist import to_picture
from mnist_edge_runtime.service.access import Access
from mnist_edge_runtime.service.app import Service, application
from mnist_edge_runtime.service.inbox import Inbox
from mnist_edge_runtime.service.limits import Limits
from mnist_edge_runtime.service.workers import Workers
from numpy.typing import NDArray

OCTETS = {"content-type": "application/octet-stream"}
JSON = {"content-type": "application/json"}


class Answer(NamedTuple):
    """What a service answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        """Return the sentence of a refusal."""
        assert list(self.json) == ["error"]
        return str(self.json["error"])


def pgm(image: NDArray[np.uint8]) -> bytes:
    """Return a PGM file."""
    return b"P5 %d %d 255\n" % image.shape[::-1] + image.tobytes()


def form(files: Mapping[str, bytes], field: str = "picture") -> tuple[bytes, dict[str, str]]:
    """Return the body of a form with these files, and its header."""
    body = b"".join(
        f'--limit\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'.encode()
        + data
        + b"\r\n"
        for name, data in files.items()
    )
    return body + b"--limit--\r\n", {"content-type": "multipart/form-data; boundary=limit"}


@pytest.fixture(scope="session")
def classifier() -> Iterator[Classifier]:
    with Classifier.load("small") as classifier:
        yield classifier


@pytest.fixture(scope="session")
def drawn(classifier: Classifier) -> Sequence[bytes]:
    """Return PGM files of digits: the golden images of the model, drawn as pictures."""
    golden = sealed_model.read(str(classifier.file)).golden
    return [pgm(to_picture(image)) for image in golden.images[:10]]


class App:
    """An application, asked without a connection."""

    def __init__(self, service: Service) -> None:
        self.service, self._app = service, application(service)

    def post(
        self, path: str, body: bytes | Sequence[bytes], headers: Mapping[str, str] = OCTETS, **query: str
    ) -> Answer:
        """Send a body, in parts if there are several."""
        return asyncio.run(self.ask("POST", path, body, headers, **query))

    def get(self, path: str, headers: Mapping[str, str] | None = None, **query: str) -> Answer:
        return asyncio.run(self.ask("GET", path, b"", headers or {}, **query))

    def ask_now(self, method: str, path: str, **query: str) -> Answer:
        return asyncio.run(self.ask(method, path, **query))

    async def ask(
        self,
        method: str,
        path: str,
        body: bytes | Sequence[bytes] = b"",
        headers: Mapping[str, str] = OCTETS,
        *,
        ends: bool = True,
        **query: str,
    ) -> Answer:
        """Return the answer; with `ends` false, the rest of the body never comes."""
        parts = [body] if isinstance(body, bytes) else list(body)
        messages = [
            {"type": "http.request", "body": part, "more_body": not ends or number < len(parts)}
            for number, part in enumerate(parts, 1)
        ]
        length = {"content-length": str(len(body))} if isinstance(body, bytes) else {"transfer-encoding": "chunked"}
        sent = {"host": "127.0.0.1", **length, **{name.lower(): value for name, value in headers.items()}}
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": urlencode(query).encode(),
            "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
        }
        received: list[Any] = []

        async def receive() -> Any:
            if not messages:
                await asyncio.Event().wait()
            return messages.pop(0)

        async def send(message: Any) -> None:
            received.append(message)

        await self._app(scope, receive, send)
        start, *rest = received
        found = {name.decode().lower(): value.decode() for name, value in start["headers"]}
        return Answer(start["status"], found, b"".join(message.get("body", b"") for message in rest))


@pytest.fixture
def app_with(classifier: Classifier) -> Iterator[Callable[..., App]]:
    """Return the function that makes an application with these limits, and this token."""
    with ExitStack() as stack:

        def make(
            *,
            token: str | None = None,
            threads: int = 2,
            loopback: bool = True,
            inbox: Inbox | None = None,
            **limits: Any,
        ) -> App:
            found = Limits(**limits)
            workers = stack.enter_context(Workers(classifier.file, found, threads))
            access = Access(token, loopback_only=loopback)
            return App(Service(classifier, "0" * 64, access, workers, found, inbox=inbox))

        yield make


@pytest.fixture
def app(app_with: Callable[..., App]) -> App:
    return app_with()


class Running:
    """`mnist-edge-runtime serve` in a process of its own, once it listens."""

    def __init__(self, *arguments: str | Path, environment: Mapping[str, str] | None = None) -> None:
        command = [sys.executable, "-m", "mnist_edge_runtime", "serve", "--port", "0", *map(str, arguments)]
        inherited = {name: value for name, value in os.environ.items() if name != "MNIST_EDGE_TOKEN"}
        self.process = subprocess.Popen(
            command, stderr=subprocess.PIPE, encoding="utf-8", env={**inherited, **(environment or {})}
        )
        self.told: list[str] = []
        assert self.process.stderr
        for line in self.process.stderr:
            self.told.append(line.rstrip("\n"))
            if found := re.match(r"serving on (http://([^/]*?):(\d+)/\S*) ", line):
                self.url, self.host, self.port = found[1], found[2], int(found[3])
                break

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def ask(self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] = OCTETS) -> Answer:
        """Return the answer to a request on a connection of its own."""
        connection = self.connection()
        try:
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read())
        finally:
            connection.close()

    def ended(self) -> tuple[int, str]:
        """Wait for the end, and return the exit code and what was said on stderr after it listened."""
        _, err = self.process.communicate(timeout=60)
        return self.process.returncode, err

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


@pytest.fixture
def start() -> Iterator[Callable[..., Running]]:
    """Return the function that starts a service with these arguments."""
    started: list[Running] = []

    def start(*arguments: str | Path, **options: Any) -> Running:
        started.append(Running(*arguments, **options))
        return started[-1]

    yield start
    for running in started:
        running.close()


@pytest.fixture(scope="session")
def running() -> Iterator[Running]:
    """Return a service that many tests share."""
    running = Running("--network", "small")
    yield running
    running.close()
