from __future__ import annotations

import pytest
from mnist_edge_runtime.service.number_reading import Reading
from mnist_edge_runtime.service.reading_rules import ReadingRules


def test_without_rules_every_accepted_reading_stays() -> None:
    rules = ReadingRules()

    assert [rules.judge(Reading(text)) for text in ("9", "1")] == [(Reading("9"), None), (Reading("1"), None)]


def test_a_reading_that_is_not_accepted_is_not_judged() -> None:
    unsure = Reading("9", reason="unsure of digit 1")
    rules = ReadingRules(expect=2, rising=True)

    assert rules.judge(unsure) == (unsure, None)
    assert rules.last is None


@pytest.mark.parametrize(("text", "count"), [("042", "3 digits"), ("1", "1 digit")])
def test_another_number_of_digits_is_refused(text: str, count: str) -> None:
    assert ReadingRules(expect=2).judge(Reading(text))[0].reason == f"{count}, expected 2"
    assert ReadingRules(expect=len(text)).judge(Reading(text))[0].accepted


def test_a_counter_may_stay_and_rise_and_not_fall() -> None:
    rules = ReadingRules(rising=True)
    for text in ("0041", "0041", "0042", "0107"):
        assert rules.judge(Reading(text)) == (Reading(text), None)

    assert rules.judge(Reading("0106"))[0].reason == "it falls: the last accepted reading is 0107"
    assert rules.judge(Reading("0108"))[0].accepted


@pytest.mark.parametrize(
    ("before", "after"), [("9", "0"), ("99", "00"), ("95", "03"), ("99999", "00000"), ("99998", "00012")]
)
def test_a_counter_rolls_over(before: str, after: str) -> None:
    rules = ReadingRules(rising=True, last=before)

    assert rules.judge(Reading(after)) == (Reading(after), f"rolled over after {before}")
    assert rules.last == after


@pytest.mark.parametrize(
    ("before", "after"), [("5", "4"), ("8000", "1000"), ("9500", "0600"), ("999", "00"), ("9", "00")]
)
def test_no_other_fall_is_taken_for_that(before: str, after: str) -> None:
    rules = ReadingRules(rising=True, last=before)

    assert rules.judge(Reading(after))[0].reason == f"it falls: the last accepted reading is {before}"
    assert rules.last == before


def test_a_refused_reading_is_not_compared_with() -> None:
    rules = ReadingRules(expect=2, rising=True)
    rules.judge(Reading("41"))
    rules.judge(Reading("999"))

    assert rules.judge(Reading("42")) == (Reading("42"), None)


def test_labels_that_are_no_digits_do_not_rise() -> None:
    assert ReadingRules(rising=True).judge(Reading("4A"))[0].reason == "no number, so nothing tells whether it rises"
