from __future__ import annotations

from typing import Any

import pytest
from mnist_edge_runtime.model_file.contract_fields import Number, OneOf, Rule, Text, check, check_leaves, parse


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


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "a": 2}',
        '{"a": {"b": [{"c": 1, "c": 1}]}}',
        b'\xef\xbb\xbf{"a": 1}',
        '{"a": 1}'.encode("utf-16"),
        '{"a": 1}'.encode("utf-16-le"),
        '{"a": 1}'.encode("utf-32"),
        '\ufeff{"a": 1}',
        b'{"a": "\xff"}',
    ],
    ids=["twice", "twice inside", "BOM", "UTF-16", "UTF-16 without BOM", "UTF-32", "BOM as text", "latin-1"],
)
def test_json_that_readers_may_take_for_something_else_is_refused(text: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"twice|BOM|codec|Expecting|char"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": {"b": NaN}}', "a.b is nan"),
        ('{"a": [1, {"b": [-Infinity]}]}', "a.b is -inf"),
        ('{"a": 1e400}', "a is inf"),
        ('{"a": [1, 1' + "0" * 30 + "]}", "a is a whole number beyond 64 bits"),
        ('{"a": {"b": "\\ud800"}}', "a.b holds a character"),
        ('{"a": {"\\udfff": 1}}', "a holds a character"),
    ],
)
def test_numbers_and_strings_that_not_every_reader_has_are_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_leaves(parse(text))


def test_deep_nesting_costs_no_recursion() -> None:
    document: Any = 1.5
    for _ in range(100_000):
        document = [document]

    check_leaves(document)
