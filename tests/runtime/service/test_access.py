from __future__ import annotations

import pytest
from mnist_edge_runtime.service.access import Access, is_loopback, names_of
from mnist_edge_runtime.service.refusal import RefusalError

TOKEN = "abcdefghijklmnop"


def _status(access: Access, method: str = "POST", path: str = "/v1/classify", **headers: str) -> int:
    try:
        access.check(method, path, {name.replace("_", "-"): value for name, value in headers.items()})
    except RefusalError as refusal:
        return refusal.status
    return 200


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:8028", "localhost", "LOCALHOST:80", "[::1]:8028", "127.1.2.3"]
)
def test_on_loopback_it_is_called_by_names_of_loopback(host: str) -> None:
    assert _status(Access(None), host=host) == 200


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "192.168.1.2:8028",
        "localhost.evil.example",
        "[::1",
        "127.0.0.1.evil.example",
        "@localhost@x",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_on_loopback_no_other_name_is_answered(host: str, method: str) -> None:
    """A stranger's name may lead to this machine, and its page then counts as of the same origin (DNS rebinding)."""
    assert _status(Access(None), method, host=host) == 421


def test_in_a_network_without_a_token_addresses_and_own_names_are_answered() -> None:
    access = Access(None, names_of(loopback_only=False), loopback_only=False)
    assert _status(access, host="192.168.1.2:8028") == 200
    assert all(_status(access, host=name) == 200 for name in names_of(loopback_only=False))
    assert _status(access, host="evil.example") == 421


def test_a_token_is_asked_for_but_not_for_the_page_and_the_state() -> None:
    access = Access(TOKEN)
    assert {path: _status(access, "GET", path, host="any.example") for path in ("/", "/healthz", "/readyz")} == {
        "/": 200,
        "/healthz": 200,
        "/readyz": 200,
    }
    for path in ("/v1/classify", "/v1/read", "/v1/model", "/metrics", "/v1/camera", "//", "/v1/../"):
        assert _status(access, "GET", path, host="any.example") == 401
        assert _status(access, "GET", path, host="any.example", authorization=f"Bearer {TOKEN}") == 200


@pytest.mark.parametrize(
    "sent",
    ["", TOKEN, "Bearer", "Bearer ", f"Basic {TOKEN}", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", "Bearer \xe9"],
)
def test_another_token_is_refused(sent: str) -> None:
    assert _status(Access(TOKEN), host="127.0.0.1", authorization=sent) == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "http://127.0.0.1:8028"}, 200),
        ({"origin": "https://127.0.0.1:8028", "sec_fetch_site": "same-origin"}, 200),
        ({"sec_fetch_site": "none"}, 200),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "http://127.0.0.1:9000"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": ""}, 403),
        ({"origin": "http://[::1"}, 403),
        ({"sec_fetch_site": "cross-site"}, 403),
        ({"sec_fetch_site": "same-site"}, 403),
    ],
)
def test_no_page_of_another_origin_gets_an_answer(headers: dict[str, str], status: int) -> None:
    assert _status(Access(None), host="127.0.0.1:8028", **headers) == status
    authorized = {"authorization": f"Bearer {TOKEN}", **headers}
    assert _status(Access(TOKEN), host="127.0.0.1:8028", **authorized) == status
    assert _status(Access(None), "GET", "/v1/camera", host="127.0.0.1:8028", **headers) == status
    assert _status(Access(None), "GET", "/", host="127.0.0.1:8028", **headers) == 200  # a link to the page is followed


def test_what_is_loopback() -> None:
    assert [host for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "::", "pi") if is_loopback(host)] == [
        "127.0.0.1",
        "::1",
        "localhost",
    ]
