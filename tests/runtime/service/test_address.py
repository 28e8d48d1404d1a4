from __future__ import annotations

import ipaddress
import socket
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from mnist_edge_runtime.service import address


def test_an_address_that_is_bound_is_the_one() -> None:
    assert address.reachable_address("192.0.2.7") == "192.0.2.7"
    assert address.url("192.0.2.7", 8028) == "http://192.0.2.7:8028/"
    assert address.url("::1", 8028, "secret") == "http://[::1]:8028/#token=secret"
    assert parse_qs(urlsplit(address.url("::1", 1, "a+b/c==~._-d")).fragment) == {"token": ["a+b/c==~._-d"]}


@pytest.mark.parametrize("bound", ["0.0.0.0", "::"])
def test_of_all_addresses_one_is_found_that_others_reach(bound: str) -> None:
    found = address.reachable_address(bound)
    try:
        assert not ipaddress.ip_address(found).is_unspecified
    except ValueError:
        assert found == socket.gethostname()  # a machine without a network


def test_without_a_network_there_is_still_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*unused: Any) -> Any:
        raise OSError("Network is unreachable")

    monkeypatch.setattr(address.socket, "socket", unreachable)
    assert address.reachable_address("0.0.0.0") == socket.gethostname()


def test_the_qr_code_is_square_and_fits_a_terminal() -> None:
    lines = address.qr_code("http://192.0.2.7:8028/#token=abcdefghijklmnopqrstuvwx").splitlines()
    widths = {len(line.replace("\\x1b[0m", "")) for line in lines}
    assert len(lines) <= 24
    assert max(widths) <= 80
