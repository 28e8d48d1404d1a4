from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest

from .conftest import OCTETS, App


def test_a_body_may_come_in_parts(app: App, drawn: Sequence[bytes]) -> None:
    whole, parts = app.post("/v1/classify", drawn[0]), [drawn[0][:100], b"", drawn[0][100:]]
    assert whole.status == 200
    assert app.post("/v1/classify", parts).json["predictions"][0]["label"] == whole.json["predictions"][0]["label"]


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"x" * 1001, {}),
        ([b"x" * 600, b"x" * 600], {}),
        ([b"x" * 600, b"x" * 600], {"content-length": "10"}),
        (b"x", {"content-length": "1000000000000"}),
        (b"x", {"content-length": "9" * 5_000}),
    ],
    ids=[
        "by its length",
        "without a length",
        "with a wrong length",
        "before it comes",
        "by more digits than int takes",
    ],
)
def test_one_that_is_too_large_is_refused(
    app_with: Callable[..., App], body: bytes | list[bytes], headers: dict[str, str]
) -> None:
    answer = app_with(body=1000).post("/v1/classify", body, {**OCTETS, **headers})
    assert (answer.status, answer.headers["connection"]) == (413, "close")
    assert answer.error == "the body has more than 1,000 bytes; scale the picture down, or send fewer"


def test_one_that_does_not_come_is_given_up(app_with: Callable[..., App], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mnist_edge_runtime.service.guard._DRAINED", (0.01, 1))
    app = app_with(body_seconds=0.05)
    answer = asyncio.run(app.ask("POST", "/v1/classify", b"half", {**OCTETS, "content-length": "100"}, ends=False))
    assert (answer.status, answer.headers["connection"]) == (408, "close")
    assert "did not arrive within 0.05 seconds" in answer.error


def test_all_bodies_together_are_limited_and_their_memory_is_given_back(
    app_with: Callable[..., App], monkeypatch: pytest.MonkeyPatch, drawn: Sequence[bytes]
) -> None:
    monkeypatch.setattr("mnist_edge_runtime.service.guard._DRAINED", (0.01, 1))
    size = len(drawn[0])
    app = app_with(body=size, bodies=3 * size, body_seconds=0.3)

    async def ask() -> list[int]:
        half = app.ask("POST", "/v1/classify", [drawn[0][:-1]], ends=False)
        tasks = [asyncio.ensure_future(half) for half in [half]]
        tasks += [asyncio.ensure_future(app.ask("POST", "/v1/classify", [drawn[0][:-1]], ends=False)) for _ in range(3)]
        return [(await task).status for task in tasks]

    assert sorted(asyncio.run(ask())) == [408, 408, 408, 429]
    assert app.post("/v1/classify", drawn[0]).status == 200


def test_a_connection_that_ends_is_no_fault(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    async def ask() -> int:
        statuses: list[int] = []

        async def receive() -> dict[str, str]:
            return {"type": "http.disconnect"}

        async def send(message: dict[str, int]) -> None:
            statuses.append(message.get("status", 0))

        headers = [(b"host", b"127.0.0.1"), (b"content-length", b"5")]
        scope = {"type": "http", "method": "POST", "path": "/v1/classify", "query_string": b"", "headers": headers}
        await app._app(scope, receive, send)
        return statuses[0]

    assert asyncio.run(ask()) == 400
    assert capsys.readouterr().err == ""
