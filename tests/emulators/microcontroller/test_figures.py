from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pytest
from mnist_edge_emulators.microcontroller import figures
from mnist_edge_emulators.microcontroller.chips import CHIPS, STACK
from mnist_edge_emulators.microcontroller.figures import Row

FIGURES = Path(__file__).parents[3] / "docs" / "chips.json"
ROW = Row("nano", "cortex-m4", 8000, 4000, "", 200, 1_000_000, 100, 1000)
COMMITTED = figures.document([ROW])


def test_each_network_on_each_chip_that_holds_it_answers_to_the_bit(
    measured: Sequence[Row], capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(measured) == len(figures.shipped()) * len(CHIPS)
    ran = [row for row in measured if not row.missing]
    assert {row.network for row in ran} == {figures.name(file) for file in figures.shipped()}
    assert [row for row in ran if row.differing or row.wrong] == []
    assert {row.images for row in ran} <= {10, 100}
    assert max(row.stack for row in ran) <= STACK
    with capsys.disabled():
        for row in measured:
            if row.missing:
                print(f"\n{row.network} does not fit on {row.chip}: {row.missing} missing", end="")


def test_they_need_as_much_as_committed(measured: Sequence[Row], capsys: pytest.CaptureFixture[str]) -> None:
    wrong, why_not = figures.compare(json.loads(FIGURES.read_text(encoding="utf-8")), measured)
    with capsys.disabled():
        print(f"\n{why_not}" if why_not else "", end="")
    assert wrong == []


def test_two_percent_are_allowed() -> None:
    assert figures.compare(COMMITTED, [replace(ROW, instructions=1_019_000, flash=7850)]) == ([], "")
    assert figures.compare(COMMITTED, [replace(ROW, instructions=1_021_000, stack=210)]) == (
        [
            "nano on cortex-m4: stack is 210, committed 200",
            "nano on cortex-m4: instructions is 1,021,000, committed 1,000,000",
        ],
        "",
    )


def test_what_was_never_committed_is_wrong() -> None:
    wrong, _ = figures.compare(COMMITTED, [replace(ROW, chip="rv32imc")])
    assert wrong[0] == "nano on rv32imc: flash has no committed figure, now 8,000"


def test_another_compiler_is_not_compared() -> None:
    other = {**COMMITTED, "ziglang": "0.1"}
    expected = f"chips are not compared: ziglang 0.1 -> {version('ziglang')}"
    assert figures.compare(other, [replace(ROW, flash=1)]) == ([], expected)
