"""The names of classes, as people write them."""

from __future__ import annotations

import pytest
from mnist_edge_runtime.class_names import nearly, plain


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("7", "7"),
        ("07", "7"),
        ("Seven", "7"),
        ("\u0667", "7"),
        ("\uff17", "7"),
        ("\u0667\u0661", "71"),
        ("000", "0"),
        ("9" * 5_000, "9" * 5_000),
        ("A", "A"),
        ("a", "a"),
        ("Stra\u00dfe 1", "strasse1"),
        ("t-i_c k", "tick"),
        ("--", "--"),
    ],
)
def test_what_people_write_in_different_ways_is_left_out(name: str, expected: str) -> None:
    assert plain(name) == expected


def test_another_name_that_is_the_same_to_a_person() -> None:
    assert nearly("seven", "0123456789") == "7"
    assert nearly("7", "0123456789") is None
    assert nearly("tick", ("Tick", "7")) == "Tick"
    assert nearly("a", ("A",)) is None
