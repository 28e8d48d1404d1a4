from __future__ import annotations

import os

import pytest
from mnist_edge_runtime.text_output import cell, percent, printable, short


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("zwölf, 十二, 1️⃣.png", "zwölf, 十二, 1️⃣.png"),
        ("\x1b[2J\x1b]0;title\x07.png", r"\x1b[2J\x1b]0;title\x07.png"),
        ("two\nlines\r.png", r"two\nlines\r.png"),
        ("\x9b31m", r"\x9b31m"),
        ("a\u202egnp.exe", r"a\u202egnp.exe"),
        ("a\u2028b\ufeff", r"a\u2028b\ufeff"),
        (os.fsdecode(b"caf\xe9.png"), r"caf\udce9.png"),
        ("", ""),
    ],
)
def test_what_a_terminal_would_obey_is_shown(text: str, expected: str) -> None:
    assert printable(text) == expected
    expected.encode()


def test_line_breaks_of_ones_own_stay() -> None:
    assert printable("a\n\x1bb", keep="\n") == "a\n\\x1bb"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_formula_becomes_text(text: str) -> None:
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["a.png", "0.5", "", "a=1", "'=1", "-:12"])
def test_other_text_stays(text: str) -> None:
    assert cell(text) == text


@pytest.mark.parametrize(
    ("value", "shown"),
    [("mnist-edge/9", "'mnist-edge/9'"), ("a\nb\x1b", r"'a\nb\x1b'"), ("é", r"'\xe9'"), (None, "None")],
)
def test_a_short_value_is_shown_as_it_is(value: object, shown: str) -> None:
    assert short(value) == shown


def test_a_long_value_is_cut() -> None:
    assert short("x" * 1000) == "'" + "x" * 76 + "..."


@pytest.mark.parametrize(
    ("probability", "shown"),
    [(0.9996, "99.9%"), (1.0, "99.9%"), (0.99949, "99.9%"), (0.998, "99.8%"), (0.5, "50.0%"), (0.0, "0.0%")],
)
def test_no_probability_is_rounded_up_to_certainty(probability: float, shown: str) -> None:
    assert percent(probability) == shown


def test_a_probability_without_decimals() -> None:
    assert [percent(probability, decimals=0) for probability in (0.9951, 0.99, 0.801)] == ["99%", "99%", "80%"]
