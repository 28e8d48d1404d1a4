"""One picture or many, raw, in a form or in JSON: the same answers, and plain words for what is none."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from .conftest import JSON, OCTETS, App, form


def _document(*entries: Any, **more: Any) -> bytes:
    return json.dumps({"pictures": list(entries), **more}).encode()


def _labels(answer: Any) -> list[Any]:
    assert answer.status == 200, answer.body
    return [entry["label"] for entry in answer.json["predictions"]]


def test_the_three_forms_have_the_same_answers(app: App, drawn: Sequence[bytes]) -> None:
    raw = [_labels(app.post("/v1/classify", data))[0] for data in drawn]
    assert len(set(raw)) > 3
    assert _labels(app.post("/v1/classify", drawn[0], {"content-type": "image/x-portable-graymap"})) == raw[:1]
    body, headers = form({f"{number}.pgm": data for number, data in enumerate(drawn)})
    answer = app.post("/v1/classify", body, headers)
    assert _labels(answer) == raw
    assert [entry["file"] for entry in answer.json["predictions"]] == [f"{number}.pgm" for number in range(len(drawn))]
    encoded = [{"base64": base64.b64encode(data).decode()} for data in drawn]
    assert _labels(app.post("/v1/classify", _document(*encoded), JSON)) == raw
    pixels = [np.frombuffer(data.split(b"255\n", 1)[1], np.uint8).reshape(180, -1).tolist() for data in drawn[:2]]
    assert _labels(app.post("/v1/classify", _document(*({"pixels": each} for each in pixels)), JSON)) == raw[:2]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "its content is empty"),
        (b"hello", "its content is text"),
        (b"\x89PNG\r\n\x1a\n", "the picture is damaged or cut short"),
        (b"%PDF-1.7", "save the page that you want read as PNG"),
    ],
)
def test_a_bad_picture_alone_is_refused_in_the_words_of_the_command_line(app: App, body: bytes, told: str) -> None:
    answer = app.post("/v1/classify", body)
    assert answer.status == 422
    assert told in answer.error
    assert app.post("/v1/read", body).error == answer.error


def test_a_bad_picture_among_others_costs_nothing_but_itself(app: App, drawn: Sequence[bytes]) -> None:
    body, headers = form({"a.pgm": drawn[0], "b.txt": b"hello", "c.pgm": drawn[1]})
    first, bad, last = app.post("/v1/classify", body, headers).json["predictions"]
    assert [first["file"], last["file"]] == ["a.pgm", "c.pgm"]
    assert bad == {"file": "b.txt", "error": app.post("/v1/classify", b"hello").error}
    entries = ({"base64": "?"}, {"pixels": [[1, 300]]}, {"pixels": "none"}, {"base64": 7}, {"pixels": []})
    found = app.post("/v1/classify", _document(*entries, {"pixels": [[0, 255]]}), JSON).json["predictions"]
    assert [list(each) for each in found] == [["error"]] * 6
    assert found[0]["error"].startswith("its base64 cannot be decoded")
    assert "pixels are from 1 to 300" in found[1]["error"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "no JSON"),
        (b"[]", "expected a document such as"),
        (b"{}", "expected a document such as"),
        (b'{"pictures": []}', "no list of 1 to 100 entries"),
        (b'{"pictures": {}}', "no list of 1 to 100 entries"),
        (b'{"pictures": [{}]}', "a picture is neither"),
        (b'{"pictures": [5]}', "a picture is neither"),
        (b'{"pictures": [{"file": "/etc/passwd"}]}', "a picture is neither"),
        (b'{"pictures": [{"pixels": [], "base64": ""}]}', "a picture is neither"),
        (b'{"pictures": [{"pixels": []}], "more": 1}', "expected a document such as"),
        (b'{"pictures": [{"pixels": []}], "preprocess": "no"}', "choose one of auto, mnist, none"),
        (b'{"pictures": [{"pixels": []}], "preprocess": ["auto"]}', "choose one of auto, mnist, none"),
        (b'{"pictures": [{"pixels": []}], "preprocess": null}', "choose one of auto, mnist, none"),
        (b'{"pictures": [], "pictures": []}', "stands twice"),
        (b"[" * 100_000, "nested too deeply"),
        (b'\xff{"pictures": []}', "not in UTF-8"),
    ],
)
def test_what_is_no_such_document_is_malformed(app: App, body: bytes, told: str) -> None:
    answer = app.post("/v1/classify", body, JSON)
    assert answer.status == 400
    assert told in answer.error


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("multipart/form-data", b""),
        ("multipart/form-data; boundary=", b""),
        ("multipart/form-data; boundary=limit", b""),
        ("multipart/form-data; boundary=limit", b"--other\r\n\r\n"),
        ("multipart/form-data; boundary=limit", b"--limit\r\nno header\r\n"),
        ("multipart/form-data; boundary=limit", b"--limit--\r\n"),
        (
            "multipart/form-data; boundary=limit",
            b'--limit\r\nContent-Disposition: form-data; name="picture"\r\n\r\nno file\r\n--limit--\r\n',
        ),
    ],
)
def test_a_form_without_files_is_malformed(app: App, media_type: str, body: bytes) -> None:
    answer = app.post("/v1/classify", body, {"content-type": media_type})
    assert (answer.status, "form" in answer.error) == (400, True)


def test_a_form_or_a_document_has_so_many_pictures_at_most(
    app_with: Callable[..., App], drawn: Sequence[bytes]
) -> None:
    app = app_with(pictures=3)
    for count, status in ((3, 200), (4, 400)):
        body, headers = form({f"{number}.pgm": drawn[0] for number in range(count)})
        assert app.post("/v1/classify", body, headers).status == status
        document = _document(*[{"pixels": [[0, 255] * 8] * 16}] * count)
        assert app.post("/v1/classify", document, JSON).status == status


@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "images/png", ""]
)
def test_another_media_type_is_refused(app: App, drawn: Sequence[bytes], media_type: str) -> None:
    answer = app.post("/v1/classify", drawn[0], {"content-type": media_type})
    assert answer.status == 415
    assert "application/octet-stream" in answer.error


def test_without_a_media_type_it_is_a_picture(app: App, drawn: Sequence[bytes]) -> None:
    assert app.post("/v1/classify", drawn[0], {}).status == 200


def test_a_form_leaves_nothing_on_the_disk_and_no_warning(app: App, drawn: Sequence[bytes], recwarn: Any) -> None:
    body, headers = form({"a.pgm": drawn[0]})
    assert app.post("/v1/read", body, {**OCTETS, **headers}).status == 200
    assert [str(each.message) for each in recwarn] == []
