from __future__ import annotations

import inspect

import pytest
from mnist_edge import cli
from mnist_edge_exporters.source_finder import SourceFinder

METHODS = sorted(name for name in vars(SourceFinder) if not name.startswith("_"))


@pytest.mark.parametrize("name", METHODS)
def test_the_command_line_finds_as_described(name: str) -> None:
    described, there = (inspect.signature(getattr(each, name)).parameters for each in (SourceFinder, cli.Sources))

    assert [(each.name, each.default) for each in there.values()] == [
        (each.name, each.default) for each in described.values()
    ]
