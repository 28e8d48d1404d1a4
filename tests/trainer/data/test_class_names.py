from __future__ import annotations

import pytest
from mnist_edge_runtime.errors import InputError
from mnist_edge_trainer.data import class_names


@pytest.mark.parametrize("name", ["7", "a b", "ä", "日本", "👩\u200d🔬", "\u0645\u06cc\u200c\u062e", "=1+1", "a/b"])
def test_what_a_person_can_see_is_a_name(name: str) -> None:
    class_names.check([name, "other"], "x")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "is empty"),
        ("  ", "is blank"),
        (" a", "begins or ends with a blank"),
        ("a\u00a0", "begins or ends with a blank"),
        ("a\nb", "has a line break"),
        ("a\r", "has a line break"),
        ("a\u2028b", "has a line break"),
        ("a\tb", "has a control character"),
        ("\x1b[31mred", "has a control character"),
        ("a\u202eb", "has an invisible character"),
        ("\ufeffa", "has an invisible character"),
        ("a\udcff", "has a byte that is no UTF-8"),
    ],
)
def test_what_would_break_a_line_or_a_table_is_refused(name: str, reason: str) -> None:
    with pytest.raises(InputError, match=f"^x: the class name .* {reason}; rename it") as caught:
        class_names.check(["other", name], "x")
    assert str(caught.value).isascii()
    assert str(caught.value).isprintable()


def test_two_encodings_of_a_text_are_one_name() -> None:
    with pytest.raises(InputError, match=r"'e\\u0301' and '\\xe9' are the same text in two encodings"):
        class_names.check(["e\u0301", "\u00e9"], "x")


def test_capital_and_small_letters_are_two_names() -> None:
    class_names.check(["a", "A"], "x")
