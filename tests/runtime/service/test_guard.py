"""Before every route stands the guard: access, headers of each answer, and no traceback to anybody."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from mnist_edge_runtime import EngineError

from .conftest import OCTETS, App

TOKEN = "abcdefghijklmnop"


def test_every_answer_has_the_headers_of_security_and_none_lets_another_origin_read(
    app: App, drawn: Sequence[bytes]
) -> None:
    answers = [app.get(path) for path in ("/", "/v1/model", "/nothing", "/v1/classify")]
    answers += [app.post("/v1/classify", drawn[0]), app.post("/v1/classify", b"", {**OCTETS, "host": "evil.example"})]
    assert [answer.status for answer in answers] == [200, 200, 404, 405, 200, 421]
    for answer in answers:
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_a_token_is_asked_for_on_every_route_but_the_open_ones(
    app_with: Callable[..., App], drawn: Sequence[bytes]
) -> None:
    app = app_with(token=TOKEN)
    closed = ("/v1/model", "/metrics", "/nothing", "/v1/classify")
    assert [app.get(path).status for path in closed] == [401] * 4
    assert app.get("/v1/model").headers["www-authenticate"] == "Bearer"
    assert app.get("/v1/model", {"Authorization": f"Bearer {TOKEN}"}).status == 200
    assert app.post("/v1/classify", drawn[0]).status == 401
    assert app.post("/v1/classify", drawn[0], {**OCTETS, "Authorization": f"bearer {TOKEN}"}).status == 200
    assert TOKEN not in str(app.get("/openapi.json"))


def test_a_body_that_nobody_reads_does_not_keep_the_connection(app: App, drawn: Sequence[bytes]) -> None:
    answer = app.post("/v1/classify", drawn[0], {**OCTETS, "origin": "http://evil.example"})
    assert (answer.status, answer.headers["connection"]) == (403, "close")
    assert "connection" not in app.post("/v1/classify", drawn[0]).headers


def test_while_it_stops_no_connection_is_kept(app: App) -> None:
    assert app.get("/readyz").status == 200
    app.service.stopping = True
    answer = app.get("/readyz")
    assert (answer.status, answer.headers["connection"]) == (503, "close")
    assert app.get("/healthz").status == 200


@pytest.mark.parametrize(
    ("error", "told", "sent"),
    [
        (ValueError("a secret path"), "internal error: ValueError: a secret path", "internal error; the log"),
        (EngineError("the model answers with NaN"), "the model answers with NaN", "the model answers with NaN"),
    ],
)
def test_a_fault_is_told_in_the_log_and_no_traceback_leaves_the_house(
    app: App,
    drawn: Sequence[bytes],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: Exception,
    told: str,
    sent: str,
) -> None:
    def fail(*unused: object) -> None:
        raise error

    monkeypatch.setattr(app.service.classifier, "classify", fail)
    answer = app.post("/v1/classify", drawn[0])
    assert answer.status == 500
    assert answer.error.startswith(sent)
    err = capsys.readouterr().err
    assert err.startswith(f"error: {told}")
    assert err.count("\n") == 1
    app.service.debug = True
