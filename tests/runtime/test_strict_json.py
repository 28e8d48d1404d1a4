from __future__ import annotations

import json
import time
import tracemalloc
from typing import Any

import pytest
from mnist_edge_runtime.strict_json import check_leaves, parse


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
    with pytest.raises(ValueError, match=r"twice|byte order mark|not in UTF-8|Expecting"):
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


def test_many_keys_take_no_time_of_their_square() -> None:
    text = "{" + ",".join(f'"{number}":0' for number in [*range(200_000), 199_999]) + "}"

    start = time.perf_counter()
    with pytest.raises(ValueError, match="the key '199999' stands twice"):
        parse(text)
    assert time.perf_counter() - start < 10  # seconds; comparing each with each takes minutes


def test_a_long_key_is_not_repeated_for_all_that_it_holds() -> None:
    text = json.dumps({"k" * 1_000_000: [[0] * 10] * 1_000 + [{"a" * 100: 2**64}]})

    tracemalloc.start()
    with pytest.raises(ValueError, match=r"beyond 64 bits") as refused:
        check_leaves(parse(text))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(str(refused.value)) < 200
    assert peak < 20_000_000  # bytes


def test_a_key_is_shown_as_plain_text() -> None:
    with pytest.raises(ValueError, match=r"a\\x1b\[31m is a whole number") as refused:
        check_leaves({"a\x1b[31m": 2**64})
    assert str(refused.value).isprintable()
