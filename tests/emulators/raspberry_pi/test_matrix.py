"""Every file of an export on every board: the same answers as on the workstation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from mnist_edge_emulators.raspberry_pi import matrix, page
from mnist_edge_emulators.raspberry_pi.boards import BOARDS
from mnist_edge_emulators.raspberry_pi.device import Device
from mnist_edge_runtime import models
from mnist_edge_trainer.data.datasets import Dataset

IMAGES = 100  # images of each file, beside the 30 golden images of its self-test
ROW = matrix.Row("a.tflite", "pi4", "litert", 20, True, 0.0, 0.0, 0, ())


@pytest.mark.parametrize(
    ("changes", "passed"),
    [
        ({}, True),
        ({"identical": False}, False),
        ({"identical": False, "difference": 1e-6, "limit": 1e-5}, True),
        ({"identical": False, "difference": 1e-4, "limit": 1e-5}, False),
        ({"identical": False, "difference": 0.1, "limit": None}, True),
        ({"other_classes": 1}, False),
        ({"failures": ("logits are up to 3 LSB off",)}, False),
    ],
)
def test_a_row_passes_within_its_limit_with_the_same_classes(changes: dict[str, object], passed: bool) -> None:
    assert replace(ROW, **changes).passed is passed


def test_every_file_answers_on_every_board_as_on_the_workstation(
    devices: Mapping[str, Device], files: Mapping[str, Path], dataset: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    every = [*models.bundled_models(), *files.values()]
    rows = matrix.rows(list(devices.values()), every, dataset.test_images[:IMAGES])
    with capsys.disabled():
        print("\n" + page.matrix([row.to_dict() for row in rows], list(BOARDS)))

    assert [row for row in rows if not row.passed] == []
    for name, board in BOARDS.items():
        found = {row.file: row.images for row in rows if row.board == name}
        assert set(found) == {file.name for engine in board.engines for file in matrix.for_engine(engine, every)}
        assert {count for file, count in found.items() if "int16x8" not in file} == {IMAGES}
