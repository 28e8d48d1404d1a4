"""`serve` on the command line: where it listens, whom it answers, and what it refuses."""

from __future__ import annotations

import os
import pty
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mnist_edge_runtime.commands import serve

from ..service.conftest import Running, start

__all__ = ["start"]  # a fixture

Invoke = Callable[..., tuple[int, str, str]]
Refused = Callable[[tuple[int, str, str], int], str]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--port", "65536"), "no port"),
        (("--port", "-1"), "no port"),
        (("--port", "http"), "no port"),
        (("--max-body", "-1MB"), "no size from 1KB to 100MB"),
        (("--token-file", "-secret"), "write --token-file=-secret for a value that begins with -"),
        (("--max-body", "0"), "no size from 1KB to 100MB"),
        (("--max-body", "1GB"), "no size from 1KB to 100MB"),
        (("--no-token", "--token-file", "x"), "not allowed with"),
        (("--network", "smal"), "Did you mean small?"),
    ],
)
def test_wrong_usage_is_told(invoke: Invoke, refused: Refused, options: tuple[str, ...], told: str) -> None:
    assert told in refused(invoke("serve", *options), 2)


def test_what_cannot_be_served_is_told(
    invoke: Invoke, refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MNIST_EDGE_TOKEN", raising=False)
    assert "no.tflite" in refused(invoke("serve", "--port", "0", "no.tflite"), 3)
    (tmp_path / "bad.tflite").write_bytes(b"x" * 100)
    assert "no contract" in refused(invoke("serve", "--port", "0", tmp_path / "bad.tflite"), 4)
    assert "--token-file" in refused(invoke("serve", "--token-file", tmp_path / "none"), 3)
    assert "no address of this machine" in refused(invoke("serve", "--network", "small", "--host", "203.0.113.1"), 3)


def test_the_model_is_checked_before_the_port(invoke: Invoke, refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "bad.tflite").write_bytes(b"x" * 100)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert "no contract" in refused(invoke("serve", "--port", port, tmp_path / "bad.tflite"), 4)
        assert "no.tflite" in refused(invoke("serve", "--port", port, "no.tflite"), 3)
        assert f"port {port}: Address already in use" in refused(
            invoke("serve", "--network", "small", "--port", port), 3
        )


def test_a_camera_that_cannot_be_read_is_not_served(invoke: Invoke, refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "notpic.png").write_text("no picture")
    line = refused(invoke("serve", "--port", "0", "--network", "small", "--camera", tmp_path / "notpic.png"), 3)
    assert "notpic.png: " in line


def test_a_model_whose_self_test_fails_is_not_served(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    from mnist_edge_runtime.diagnostics.selftest import SelfTestReport

    report = SelfTestReport("litert", 20, 9, 1.0, ("logits are up to 9 from the expected ones",))
    monkeypatch.setattr(serve, "selftest", lambda *unused: report)
    code, out, err = invoke("serve", "--port", "0", "--network", "small")
    assert (code, out) == (5, "")
    assert "its self-test failed: logits are up to 9" in err


@pytest.mark.parametrize(
    ("size", "expected"),
    [("1MB", 1_000_000), ("1.5 mb", 1_500_000), ("200KB", 200_000), ("4096", 4096), ("4096B", 4096)],
)
def test_sizes(size: str, expected: int) -> None:
    assert serve._size(size) == expected


def test_a_library_that_is_missing_is_named(invoke: Invoke, refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "_LIBRARIES", {**serve._LIBRARIES, "no_such_module": "no-such-package"})
    line = refused(invoke("serve"), 3)
    assert "serve needs no-such-package (" in line


@pytest.mark.parametrize("options", [(), ("--no-token",)])
def test_in_a_network_it_says_so_and_asks_for_a_token(start: Callable[..., Running], options: tuple[str, ...]) -> None:
    running = start("--network", "small", "--host", "0.0.0.0", *options)
    (warning,) = (line for line in running.told if line.startswith("WARNING: 0.0.0.0: everybody in the network"))
    token = running.url.partition("#token=")[2]
    assert running.host not in ("0.0.0.0", "127.0.0.1")
    if options:
        assert "everybody may use it" in warning
        assert not token
        assert running.ask("GET", "/v1/model").status == 200
        assert running.ask("GET", "/v1/model", headers={"Host": "evil.example"}).status == 421
    else:
        assert len(token) >= 20
        assert running.ask("GET", "/v1/model").status == 401
        assert running.ask("GET", "/v1/model", headers={"Authorization": f"Bearer {token}"}).status == 200
        assert running.ask("GET", "/").status == 200


def test_a_token_of_ones_own_is_asked_for_and_not_printed(start: Callable[..., Running], tmp_path: Path) -> None:
    (tmp_path / "token").write_text("of-the-file-itself\n")
    each: tuple[dict[str, Any], ...] = (
        {"environment": {"MNIST_EDGE_TOKEN": "of-the-file-itself"}},
        {"arguments": ("--token-file", tmp_path / "token")},
    )
    for options in each:
        running = start("--network", "small", *options.pop("arguments", ()), **options)
        assert "of-the-file" not in "".join(running.told)
        assert running.ask("GET", "/v1/model").status == 401
        assert running.ask("GET", "/v1/model", headers={"Authorization": "Bearer of-the-file-itself"}).status == 200


def test_on_a_terminal_a_phone_finds_the_address_as_a_qr_code() -> None:
    controller, terminal = pty.openpty()
    command = [
        sys.executable,
        "-m",
        "mnist_edge_runtime",
        "serve",
        "--port",
        "0",
        "--network",
        "small",
        "--host",
        "0.0.0.0",
    ]
    with subprocess.Popen(command, stderr=terminal, env={**os.environ, "PYTHONUTF8": "1"}) as process:
        os.close(terminal)
        shown = b""
        while b"until stopped" not in shown:
            shown += os.read(controller, 10_000)
        process.terminate()
        assert process.wait(30) == 0
    os.close(controller)
    assert b"#token=" in shown
    assert shown.count("\N{UPPER HALF BLOCK}".encode()) > 100
