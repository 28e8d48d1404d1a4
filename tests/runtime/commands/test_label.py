"""`label` on the command line; tests/runtime/service/test_label_server.py has its page."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Any

import pytest
from mnist_edge_runtime.__main__ import main
from mnist_edge_runtime.commands import label


def test_a_folder_without_pictures_ends_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["label", str(tmp_path), "--network", "small"]) == 3
    told = capsys.readouterr().err
    assert told.startswith(f"error: {tmp_path}/unsure: there is no such folder; label sorts the pictures in DIR/unsure")


def test_a_browser_is_opened_where_there_is_a_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of a terminal would take the terminal."""
    opened: list[Any] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    label._open("http://127.0.0.1:1/")
    assert opened == []
    monkeypatch.setenv("DISPLAY", ":0")
    label._open("http://127.0.0.1:2/")
    assert opened == ["http://127.0.0.1:2/"]
