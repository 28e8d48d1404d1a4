from __future__ import annotations

import pytest
from mnist_edge_exporters.templates import Templates


def test_each_room_has_templates_of_its_own() -> None:
    c_source, javascript = (Templates(f"mnist_edge_exporters.{room}") for room in ("c_source", "javascript"))

    assert "project(net C)" in c_source.fill("CMakeLists.txt", name="net")
    assert "function bytes(text)" in javascript.read("kernels/bytes.js")
    with pytest.raises(FileNotFoundError):
        javascript.read("CMakeLists.txt")


def test_a_key_without_a_value_is_an_error() -> None:
    with pytest.raises(KeyError, match="name"):
        Templates("mnist_edge_exporters.c_source").fill("CMakeLists.txt", names="net")
