from __future__ import annotations

import json
from pathlib import Path

from mnist_edge_emulators.raspberry_pi import cost, page

DOCS = Path(__file__).parents[2] / "docs"
COMMITTED = {
    "versions": {"pi4": {"numpy": "2.4.6"}},
    "instructions": {"pi4": {"litert": {"small tflite int8": {"engine": 1000, "classify": 2000}}}},
}
VERSIONS = {"pi4": {"numpy": "2.4.6"}}


def _figures(engine: float, classify: float, file: str = "small tflite int8") -> cost.Figures:
    return {"pi4": {"litert": {file: {"engine": engine, "classify": classify}}}}


def test_two_percent_are_allowed() -> None:
    assert cost.compare(COMMITTED, _figures(1019, 1961), VERSIONS) == ([], [])


def test_more_is_wrong_in_either_direction() -> None:
    wrong, skipped = cost.compare(COMMITTED, _figures(1021, 1959), VERSIONS)

    assert wrong == [
        "pi4 litert small tflite int8: engine takes 1021 instructions, +2.1%",
        "pi4 litert small tflite int8: classify takes 1959 instructions, -2.0%",
    ]
    assert skipped == []


def test_what_was_never_committed_is_wrong() -> None:
    wrong, _ = cost.compare(COMMITTED, _figures(1000, 2000, "nano onnx int8"), VERSIONS)

    assert len(wrong) == 2
    assert wrong[0] == "pi4 litert nano onnx int8: engine has no committed figure, now 1000"


def test_with_other_packages_it_says_that_nothing_was_compared() -> None:
    wrong, skipped = cost.compare(COMMITTED, _figures(5000, 9000), {"pi4": {"numpy": "2.5.5"}})

    assert wrong == []
    assert skipped == ["pi4 is not compared: numpy 2.4.6 -> 2.5.5"]


def test_the_page_is_that_of_the_committed_figures() -> None:
    document = json.loads((DOCS / "boards.json").read_text(encoding="utf-8"))

    assert (DOCS / "boards.md").read_text(encoding="utf-8") == page.render(document)
    assert all(row["passed"] for row in document["matrix"])
