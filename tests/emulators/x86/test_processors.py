"""The files that ship, on a processor whose usual kernels for int8 overflow."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from mnist_edge_emulators.raspberry_pi import jobs, matrix
from mnist_edge_emulators.raspberry_pi.boards import BOARDS
from mnist_edge_emulators.raspberry_pi.device import READER, Device
from mnist_edge_emulators.x86.processors import PROCESSORS
from mnist_edge_runtime import models
from mnist_edge_trainer.data import datasets
from mnist_edge_trainer.data.datasets import Dataset

IMAGES = 300  # images of each file, beside the 30 golden images of its self-test
SHIPPED = [
    *(file for network in models.NETWORKS for file in models.bundled_models(network=network)),
    *sorted(file for file in Path(__file__).parents[3].glob("models/*") if file.suffix in (".tflite", ".onnx")),
]
ASK = "from mnist_edge_runtime.engines import onnxruntime; print(onnxruntime.saturates())"


def test_the_pcs_are_boards_like_the_others() -> None:
    assert [BOARDS[row.name] for row in PROCESSORS] == list(PROCESSORS)
    assert not any(row.is_pi for row in PROCESSORS)


def test_the_usual_kernels_overflow_there(devices: Mapping[str, Device]) -> None:
    """Without this, the next test would prove nothing."""
    asked = jobs.run(devices["haswell"], [f"{READER}/bin/python3", "-c", ASK])

    assert asked.stdout == "True\n", asked.stderr


def test_a_description_of_another_processor_changes_nothing(devices: Mapping[str, Device], tmp_path: Path) -> None:
    """Qemu itself shows the description of the machine that it runs on, which may have VNNI."""
    newer = tmp_path / "cpuinfo"
    newer.write_text("processor\t: 0\nflags\t\t: avx2 avx512_vnni avx_vnni\n")
    model = "/opt/runtime/mnist_edge_runtime/models/small-int8.onnx"
    result = jobs.run(devices["haswell"], ["mnist-edge-runtime", "selftest", model], binds=[(newer, "/proc/cpuinfo")])

    assert result.returncode == 0, result.stderr
    assert result.stdout == "passed: 30 golden images on onnxruntime, logits within 0 LSB\n"


def test_every_file_that_ships_answers_to_the_bit(devices: Mapping[str, Device], digits: Dataset) -> None:
    dataset = datasets.load("mnist") if os.environ.get("MNIST_EDGE_DATA") else digits
    rows = matrix.rows([devices[row.name] for row in PROCESSORS], SHIPPED, dataset.test_images[:IMAGES])

    assert sorted(row.file for row in rows) == sorted(file.name for file in SHIPPED)
    assert len(rows) == len(SHIPPED) == 10
    assert [row for row in rows if not (row.passed and row.identical and row.images == IMAGES)] == []


@pytest.mark.parametrize("row", PROCESSORS, ids=lambda row: row.name)
def test_its_description_has_no_vnni(row: object) -> None:
    assert "vnni" not in str(row)
