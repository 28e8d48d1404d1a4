"""The routes: what each answers, and what it refuses."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence

import pytest
from mnist_edge_runtime import __version__
from mnist_edge_runtime.service import page

from .conftest import App


def test_the_model_is_described_by_its_contract(app: App) -> None:
    found = app.get("/v1/model").json
    classifier = app.service.classifier
    assert found["contract"] == json.loads(classifier.contract.to_json())
    assert found["payload_sha256"] == classifier.contract.payload.sha256
    assert (found["file"], found["version"]) == (classifier.file and classifier.file.name, __version__)
    assert (found["engine"], found["camera"]) == (classifier.engine_name, False)


def test_the_page_is_html(app: App) -> None:
    answer = app.get("/")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.body.decode() == page.finished()
    assert answer.headers["content-security-policy"] == page.policy(page.finished())


def test_it_lives_and_is_ready(app: App) -> None:
    assert (app.get("/healthz").json, app.get("/readyz").json) == ({"alive": True}, {"ready": True})


@pytest.mark.parametrize("path", ["/nothing", "/v1/classify/", "/v1", "//", "/v1/../healthz", "/openapi.yaml"])
def test_other_addresses_name_those_that_there_are(app: App, path: str) -> None:
    answer = app.get(path)
    assert answer.status == 404
    assert "/v1/classify, /v1/read" in answer.error


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/classify", {"POST"}),
        ("DELETE", "/v1/read", {"POST"}),
        ("POST", "/v1/model", {"GET", "HEAD"}),
        ("OPTIONS", "/v1/classify", {"POST"}),
        ("\N{BOM}<script>", "/healthz", {"GET", "HEAD"}),
    ],
)
def test_another_method_is_refused(app: App, method: str, path: str, allowed: set[str]) -> None:
    answer = asyncio.run(app.ask(method, path))
    assert answer.status == 405
    assert {each.strip() for each in answer.headers["allow"].split(",")} == allowed
    assert answer.error.isascii()


@pytest.mark.parametrize("query", [{"image": "2"}, {"image": ""}, {"images": "1"}, {"preprocess": "MNIST"}])
def test_a_parameter_that_is_not_offered_is_refused(app: App, drawn: Sequence[bytes], query: dict[str, str]) -> None:
    assert app.post("/v1/classify", drawn[0], **query).status == 400
    assert app.post("/v1/read", drawn[0], **query).status == 400


def test_what_waits_is_limited_and_the_state_is_told_all_the_same(
    app_with: Callable[..., App], drawn: Sequence[bytes]
) -> None:
    app = app_with(waiting=2, threads=1)

    async def flood() -> list[int]:
        asked = [app.ask("POST", "/v1/classify", drawn[0]) for _ in range(20)]
        return [answer.status for answer in await asyncio.gather(*asked, app.ask("GET", "/readyz"))]

    *statuses, ready = asyncio.run(flood())
    assert ready == 200
    assert set(statuses) == {200, 429}
    assert statuses.count(200) >= 3
    assert app.post("/v1/classify", drawn[0]).status == 200
