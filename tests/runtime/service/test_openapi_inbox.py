"""The document of a service with an inbox names its routes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from jsonschema import validate
from mnist_edge_runtime.service import openapi
from mnist_edge_runtime.service.inbox import Inbox
from mnist_edge_runtime.service.limits import Limits


def test_it_is_in_the_document_where_there_is_one(tmp_path: Path, app_with: Callable[..., Any]) -> None:
    app = app_with(inbox=Inbox(tmp_path, ("0", "1")))
    document = app.get("/openapi.json").json
    assert document == openapi.document(Limits(), with_token=False, with_inbox=True)
    addresses = app.get("/nothing").error.partition("addresses are ")[2].split(", ")
    assert {*document["paths"]} == {*addresses}
    assert [*document["paths"]["/v1/inbox"]] == ["post", "get", "delete"]
    assert "/v1/inbox" not in openapi.document(Limits(), with_token=False)["paths"]


def test_what_is_answered_has_its_schema(tmp_path: Path, app_with: Callable[..., Any], drawn: list[bytes]) -> None:
    app = app_with(inbox=Inbox(tmp_path, ("0", "1")))
    routes, components = (
        openapi.document(Limits(), with_token=False, with_inbox=True)[key] for key in ("paths", "components")
    )
    found = {"post": app.post("/v1/inbox", drawn[0], **{"class": "tick"}), "get": app.get("/v1/inbox")}
    name = found["post"].json["kept"][0]["name"]
    found["delete"] = app.ask_now("DELETE", "/v1/inbox", name=name)
    for method, answer in found.items():
        operation = routes["/v1/inbox"][method]
        assert answer.status == 200
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        validate(answer.json, {**schema, "components": components})
    for method in found:
        assert app_with(token="a" * 20, inbox=Inbox(tmp_path, ())).ask_now(method.upper(), "/v1/inbox").status == 401
