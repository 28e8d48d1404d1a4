from __future__ import annotations

import re
from importlib.resources import files

import pytest
from mnist_edge_exporters.c_source import template


def test_a_key_without_a_value_is_an_error() -> None:
    with pytest.raises(KeyError):
        template.fill("CMakeLists.txt")
    assert "project(net C)" in template.fill("CMakeLists.txt", name="net")


def test_no_kernel_allocates_or_computes_with_floats() -> None:
    folder = files("mnist_edge_exporters.c_source").joinpath("templates")
    kernels = [file for file in folder.iterdir() if file.name.endswith(".c")]
    assert len(kernels) > 10
    for file in kernels:
        code = re.sub(r"/\*.*?\*/", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert not re.search(r"\b(float|double|malloc|free|printf)\b|#include <", code), file.name
