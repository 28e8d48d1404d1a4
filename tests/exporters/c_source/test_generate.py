from __future__ import annotations

import pytest
from mnist_edge_exporters.c_source.generate import identifier
from mnist_edge_runtime import UsageError


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("classic", "classic"),
        ("my run-2", "my_run_2"),
        ("2024", "net_2024"),
        ("int", "net_int"),
        ("__x", "x"),
        ("ä", "network"),
        ("setup", "net_setup"),
    ],
)
def test_the_name_of_a_run_becomes_an_identifier(name: str, expected: str) -> None:
    assert identifier(name) == expected


@pytest.mark.parametrize("name", ["", "2x", "a-b", "while", "_x", "x y", "ä", "x;"])
def test_a_given_name_must_be_an_identifier(name: str) -> None:
    with pytest.raises(UsageError, match="expected a C identifier"):
        identifier(name, is_given=True)
    assert identifier("Digits_1", is_given=True) == "Digits_1"
