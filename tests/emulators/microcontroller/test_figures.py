from __future__ import annotations

import json
import runpy
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from mnist_edge_emulators.microcontroller import figures
from mnist_edge_emulators.microcontroller.chips import CHIPS
from mnist_edge_emulators.microcontroller.figures import Row
from mnist_edge_exporters.integer import tflite_reader
from mnist_edge_exporters.integer.evaluate import evaluate
from mnist_edge_runtime import models
from mnist_edge_runtime.diagnostics.needs import CODE, STACK
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.model_file.size_in_c import SizeInC, size_in_c

RANDOM_NETWORKS = Path(__file__).parents[3] / "benchmarks" / "random_networks.py"
FIGURES = Path(__file__).parents[3] / "docs" / "chips.json"
ROW = Row("nano", "cortex-m4", 8000, 4000, "", 200, 1_000_000, 100, 1000)
COMMITTED = figures.document([ROW])


def test_each_network_on_each_chip_that_holds_it_answers_to_the_bit(
    measured: Sequence[Row], capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(measured) == len(figures.shipped("litert")) * len(CHIPS)
    ran = [row for row in measured if not row.missing]
    assert {row.network for row in ran} == {figures.name(file) for file in figures.shipped("litert")}
    assert [row for row in ran if row.differing or row.wrong] == []
    assert {row.images for row in ran} <= {10, 100}
    assert max(row.stack for row in ran) <= STACK
    sizes = {figures.name(file): size_in_c(sealed_model.read(file).payload) for file in figures.shipped("litert")}
    for row in measured:  # what `inspect` computes without a compiler
        size = sizes[row.network]
        assert isinstance(size, SizeInC)
        assert size.constants < row.flash <= size.constants + CODE
        assert 0 <= row.ram - (size.buffer + 784 + 10) <= 32
    with capsys.disabled():
        for row in measured:
            if row.missing:
                print(f"\n{row.network} does not fit on {row.chip}: {row.missing} missing", end="")


def test_they_need_as_much_as_committed(measured: Sequence[Row], capsys: pytest.CaptureFixture[str]) -> None:
    wrong, why_not = figures.compare(json.loads(FIGURES.read_text(encoding="utf-8")), measured)
    with capsys.disabled():
        print(f"\n{why_not}" if why_not else "", end="")
    assert wrong == []


@pytest.mark.parametrize("chip", ["cortex-m0", "cortex-m4", "rv32imc"])
def test_random_networks_answer_to_the_bit(chip: str, tmp_path: Path) -> None:
    """Windows that no four channels fill, dilations, zero points: also with DSP instructions, which hosts lack."""
    build = runpy.run_path(str(RANDOM_NETWORKS))["build"]
    bundled = sealed_model.read(models.bundled_models("litert", "small")[0])
    images = np.random.default_rng(0).integers(0, 256, (3, 28, 28), dtype=np.uint8)
    for seed in range(4):
        sealed = replace(bundled, payload=build(seed, depth=5))
        expected = np.asarray(evaluate(tflite_reader.read(sealed.payload), images[..., np.newaxis]), np.uint8)
        row = figures.measure("net", figures.written(sealed, tmp_path / str(seed)), CHIPS[chip], images, expected)
        if chip == "cortex-m0" and row.missing:
            continue
        assert (row.missing, row.images, row.differing, row.wrong) == ("", 3, 0, 0), f"seed {seed}"


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
