from __future__ import annotations

from typing import Any

import pytest
from mnist_edge_runtime.model_file.contract_fields import Number, OneOf, Rule, Text, as_list, as_object, check


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        (OneOf(("a", "b")), "b"),
        (OneOf(((1, 2),)), (1, 2)),
        (Text("[a-f]+", "letters"), "abc"),
        (Text("[a-f]+", "letters", optional=True), None),
        (Number(0, 1), 0),
        (Number(0, 1), 1.0),
        (Number(-128, 127, whole=True), -128),
        (Number(0, 1, optional=True), None),
    ],
)
def test_a_value_that_keeps_its_rule(rule: Rule, value: Any) -> None:
    check({"it": value}, {"it": rule})


@pytest.mark.parametrize(
    ("rule", "value", "message"),
    [
        (OneOf(("a", "b")), "c", "it is 'c', expected 'a' or 'b'"),
        (OneOf((1,)), True, "it is True, expected 1"),
        (OneOf(((1, 2),)), (1.0, 2), r"expected \(1, 2\)"),
        (Text("[a-f]+", "letters"), "abc\n", "expected letters"),
        (Text("[a-f]+", "letters"), 7, "expected letters"),
        (Text("[a-f]+", "letters"), None, "expected letters"),
        (Number(0, 1), True, "expected a number from 0 to 1"),
        (Number(0, 1), "1", "expected a number from 0 to 1"),
        (Number(0, 1), float("nan"), "expected a number from 0 to 1"),
        (Number(1e-3, 1e3), 1e-320, "it is 1e-320, expected a number from 0.001 to 1000"),
        (Number(0, 1000, whole=True), 1.0, "expected a whole number from 0 to 1,000"),
        (Number(0, 1), None, "expected a number"),
        (Text("a", "the letter a"), "\x1b[31m" * 99, r"it is '\\x1b\[31m.*\.\.\., expected the letter a"),
    ],
)
def test_a_value_that_breaks_its_rule(rule: Rule, value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check({"it": value}, {"it": rule})


def test_a_part_of_another_form_is_named() -> None:
    assert as_object({"a": 1}, "input") == {"a": 1}
    assert as_list([1], "runtimes") == [1]
    with pytest.raises(ValueError, match=r"input is \[1\], expected an object"):
        as_object([1], "input")
    with pytest.raises(ValueError, match="runtimes is 'a', expected a list"):
        as_list("a", "runtimes")
