from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from mnist_edge_emulators.errors import UnavailableError
from mnist_edge_emulators.raspberry_pi import instruction_counts
from mnist_edge_emulators.raspberry_pi.device import Device
from mnist_edge_runtime import models
from mnist_edge_trainer.data.datasets import Dataset

FIGURES = Path(__file__).parents[3] / "docs" / "boards.json"
COMMITTED = {
    "versions": {"pi4": {"numpy": "2.4.6"}},
    "instructions": {"pi4": {"litert": {"small tflite int8": {"engine": 1000, "classify": 2000}}}},
}
VERSIONS = {"pi4": {"numpy": "2.4.6"}}


def _figures(engine: float, classify: float, file: str = "small tflite int8") -> instruction_counts.Figures:
    return {"pi4": {"litert": {file: {"engine": engine, "classify": classify}}}}


def test_two_percent_are_allowed() -> None:
    assert instruction_counts.compare(COMMITTED, _figures(1019, 1961), VERSIONS) == ([], [])


def test_more_is_wrong_in_either_direction() -> None:
    wrong, skipped = instruction_counts.compare(COMMITTED, _figures(1021, 1959), VERSIONS)

    assert wrong == [
        "pi4 litert small tflite int8: engine takes 1021 instructions, +2.1%",
        "pi4 litert small tflite int8: classify takes 1959 instructions, -2.0%",
    ]
    assert skipped == []


def test_what_was_never_committed_is_wrong() -> None:
    wrong, _ = instruction_counts.compare(COMMITTED, _figures(1000, 2000, "nano onnx int8"), VERSIONS)

    assert len(wrong) == 2
    assert wrong[0] == "pi4 litert nano onnx int8: engine has no committed figure, now 1000"


def test_with_other_packages_it_says_that_nothing_was_compared() -> None:
    wrong, skipped = instruction_counts.compare(COMMITTED, _figures(5000, 9000), {"pi4": {"numpy": "2.5.5"}})

    assert wrong == []
    assert skipped == ["pi4 is not compared: numpy 2.4.6 -> 2.5.5"]


def test_inferences_take_as_many_instructions_as_committed(
    devices: Mapping[str, Device], files: Mapping[str, Path], dataset: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    counted = [file for name, file in files.items() if name.split("-")[1] in instruction_counts.COUNTED]
    boards = [device for device in devices.values() if device.board.is_pi]
    try:
        figures = instruction_counts.instructions(boards, [*models.bundled_models(), *counted], dataset.test_images)
    except UnavailableError as error:
        pytest.skip(str(error))
    committed = json.loads(FIGURES.read_text(encoding="utf-8"))
    wrong, skipped = instruction_counts.compare(committed, figures, instruction_counts.versions_of(boards))

    with capsys.disabled():
        print("".join(f"\n{sentence}" for sentence in skipped), end="")
    assert wrong == []


def test_a_frame_takes_as_many_instructions_as_committed(
    devices: Mapping[str, Device], capsys: pytest.CaptureFixture[str]
) -> None:
    boards = [device for device in devices.values() if device.board.is_pi]
    try:
        figures = instruction_counts.preparation(boards)
    except UnavailableError as error:
        pytest.skip(str(error))
    committed = json.loads(FIGURES.read_text(encoding="utf-8"))
    wrong, skipped = instruction_counts.compare(
        committed, figures, instruction_counts.versions_of(boards), "preparation"
    )

    with capsys.disabled():
        print("".join(f"\n{sentence}" for sentence in skipped), end="")
    assert wrong == []
