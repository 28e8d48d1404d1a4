"""The inbox of a service, asked over HTTP."""

from __future__ import annotations

import os
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mnist_edge_runtime.preprocessing.image_io import load_picture
from mnist_edge_runtime.service import refusal
from mnist_edge_runtime.service.inbox import Inbox

from .conftest import form

LABELS = tuple("0123456789")


def test_what_a_service_keeps(tmp_path: Path, app_with: Callable[..., Any], drawn: list[bytes]) -> None:
    app = app_with(inbox=Inbox(tmp_path, LABELS, most=3))
    assert app.get("/v1/model").json["inbox"] is True
    answer = app.post("/v1/inbox", drawn[3], **{"class": "3"})
    (entry,) = answer.json["kept"]
    assert entry == {"class": "3", "name": os.listdir(tmp_path / "3")[0]}
    np.testing.assert_array_equal(load_picture(tmp_path / "3" / entry["name"]), load_picture(BytesIO(drawn[3])))
    assert answer.json["inbox"] == app.get("/v1/inbox").json
    assert app.post("/v1/inbox", drawn[4]).json["inbox"]["unsure"] == 1
    assert app.post("/v1/inbox", b"P5 9 9 255\n" + bytes(81)).status == 422
    assert "it is not kept" in app.post("/v1/inbox", b"P5 9 9 255\n" + bytes(81)).error
    assert app.post("/v1/inbox", drawn[3], **{"class": "../3"}).status == 400
    assert app.post("/v1/inbox", drawn[3], name="3").error.endswith("expected class at most, once")
    for name in (5, 6):
        assert app.post("/v1/inbox", drawn[name], **{"class": str(name)}).status == 200
    full = app.post("/v1/inbox", drawn[7], **{"class": "7"})
    assert (full.status, full.error[:17]) == (507, "the inbox is full")
    removed = app.ask_now("DELETE", "/v1/inbox", name=entry["name"])
    assert removed.json == {"removed": entry["name"], "inbox": app.get("/v1/inbox").json}
    assert app.ask_now("DELETE", "/v1/inbox", name=entry["name"]).status == 404
    assert app.ask_now("DELETE", "/v1/inbox").status == 400


def test_a_picture_that_is_named_is_moved(tmp_path: Path, app_with: Callable[..., Any], drawn: list[bytes]) -> None:
    """Also one that was kept before the service was started again."""
    app = app_with(inbox=Inbox(tmp_path, LABELS))
    (unsure,) = app.post("/v1/inbox", drawn[3]).json["kept"]
    app = app_with(inbox=Inbox(tmp_path, LABELS))
    answer = app.post("/v1/inbox", drawn[3], **{"class": "3"}).json
    assert answer["kept"] == [{"class": "3", "name": unsure["name"], "moved_from": "unsure"}]
    assert (answer["inbox"]["pictures"], answer["inbox"]["classes"]) == (1, {"3": 1})
    (again,) = app.post("/v1/inbox", drawn[3]).json["kept"]
    assert again == {"class": "3", "name": unsure["name"]}
    assert app.ask_now("DELETE", "/v1/inbox", name=unsure["name"]).status == 404  # it was there before
    kept = [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()]
    assert kept == [f"3/{unsure['name']}"]


def test_a_class_beside_which_a_training_refuses_another(
    tmp_path: Path, app_with: Callable[..., Any], drawn: list[bytes]
) -> None:
    app = app_with(inbox=Inbox(tmp_path, LABELS))
    refused = app.post("/v1/inbox", drawn[3], **{"class": "seven"})
    assert refused.status == 400
    assert refused.error == "'seven' is nearly the same name as the class '7'; take that one, or another name"


def test_a_service_without_an_inbox_keeps_nothing(app: Any, drawn: list[bytes]) -> None:
    assert app.get("/v1/model").json["inbox"] is False
    assert app.post("/v1/inbox", drawn[3]).status == 404
    assert app.post("/v1/inbox", drawn[3]).error == "this service has no inbox; start it with --inbox DIR"


def test_of_several_pictures_each_has_its_answer(
    tmp_path: Path, app_with: Callable[..., Any], drawn: list[bytes]
) -> None:
    app = app_with(inbox=Inbox(tmp_path, LABELS, most=2))
    body, headers = form({"a.pgm": drawn[0], "../../b.pgm": b"nothing", "c.pgm": drawn[2], "d.pgm": drawn[3]})
    kept = app.post("/v1/inbox", body, headers, **{"class": "tick"}).json["kept"]
    assert [(entry["file"], entry.get("class")) for entry in kept] == [
        ("a.pgm", "tick"),
        ("../../b.pgm", None),
        ("c.pgm", "tick"),
        ("d.pgm", None),
    ]
    assert "the inbox is full" in kept[3]["error"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tick", "unsure"]
    body = b'{"pictures": [{"pixels": [[0, 0, 0], [0, 255, 0], [0, 0, 0]]}], "preprocess": "none"}'
    refused = app.post("/v1/inbox", body, {"content-type": "application/json"})
    assert (refused.status, refused.error) == (400, "pictures are kept as they are; leave preprocess out")


def test_it_asks_for_the_token_and_for_its_own_page(
    tmp_path: Path, app_with: Callable[..., Any], drawn: list[bytes]
) -> None:
    app = app_with(inbox=Inbox(tmp_path, LABELS), token="a" * 20)
    assert app.post("/v1/inbox", drawn[0]).status == 401
    sent = {"content-type": "image/x-portable-graymap", "authorization": f"Bearer {'a' * 20}"}
    assert app.post("/v1/inbox", drawn[0], {**sent, "origin": "http://stranger.example"}).status == 403
    assert app.post("/v1/inbox", drawn[0], sent).status == 200
    large = app_with(inbox=Inbox(tmp_path, LABELS), body=1_000)
    assert large.post("/v1/inbox", drawn[0]).status == 413


def test_a_full_disk_is_told(
    tmp_path: Path, app_with: Callable[..., Any], drawn: list[bytes], monkeypatch: Any
) -> None:
    app = app_with(inbox=Inbox(tmp_path, LABELS))

    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    refused = app.post("/v1/inbox", drawn[0], **{"class": "1"})
    assert (refused.status, refused.error.partition("; ")[2]) == (507, "make room and repeat the command")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_nothing_is_kept_once_nobody_waits(
    tmp_path: Path, app_with: Callable[..., Any], drawn: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = app_with(inbox=Inbox(tmp_path, LABELS))
    looks = iter((0.0, float("inf")))
    monkeypatch.setattr(refusal, "monotonic", lambda: next(looks))
    body, media_type = form({f"{number}.png": drawn[number] for number in range(3)})
    refused = app.post("/v1/inbox", body, media_type)
    assert (refused.status, refused.error) == (503, "there was no time left for all pictures; send fewer")
    assert len(os.listdir(tmp_path / "unsure")) == 1
