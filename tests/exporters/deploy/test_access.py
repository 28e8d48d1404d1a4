"""What holds for all hosts is checked before any host is connected to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from mnist_edge_exporters.deploy.access import Access
from mnist_edge_runtime import InputError, UsageError


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"timeout": 0}, "--timeout is 0, expected seconds above 0"),
        ({"timeout": float("nan")}, "--timeout is nan, expected seconds above 0"),
        ({"prefix": " "}, "--prefix names no folder"),
    ],
)
def test_options_out_of_range(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Access(**options)


def test_a_configuration_that_is_not_there() -> None:
    with pytest.raises(InputError, match="--ssh-config nowhere: no such file"):
        Access(ssh_config=Path("nowhere"))
