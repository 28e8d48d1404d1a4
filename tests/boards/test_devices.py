"""What a person does on a Raspberry Pi, on emulated ones: doctor, selftest, classify, and 500 images of every file."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from mnist_edge_emulators.raspberry_pi import cost, jobs, matrix, page
from mnist_edge_emulators.raspberry_pi.boards import BOARDS
from mnist_edge_emulators.raspberry_pi.emulator import Device
from mnist_edge_emulators.raspberry_pi.errors import UnavailableError
from mnist_edge_runtime import Classifier, models
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.preprocessing import mnist
from mnist_edge_trainer.data.datasets import Dataset
from PIL import Image

pytestmark = pytest.mark.boards
COMMITTED = Path(__file__).parents[2] / "docs" / "boards.json"
Outcomes = Mapping[str, subprocess.CompletedProcess[str]]
TASKS = {
    "doctor": "mnist-edge-runtime doctor --json",
    "selftest": "mnist-edge-runtime selftest --json",
    "classify": "mnist-edge-runtime classify --accept-all --json digit.png digit.npy",
}


@pytest.fixture(scope="session")
def outcomes(devices: Mapping[str, Device], tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Outcomes]:
    """Return what became of every task on every board; two boards work at once."""
    folder = tmp_path_factory.mktemp("pictures")
    golden = sealed_model.read(models.bundled_models()[0]).golden
    drawn = golden.images[golden.picture]
    Image.fromarray(mnist.to_picture(drawn)).save(folder / "digit.png")
    np.save(folder / "digit.npy", drawn)

    def work(device: Device) -> Outcomes:
        return {
            task: jobs.run(device, command.split(), directory="/pictures", binds=[(folder, "/pictures")])
            for task, command in TASKS.items()
        }

    with ThreadPoolExecutor(2) as pool:
        return dict(zip(devices, pool.map(work, devices.values()), strict=True))


@pytest.fixture(scope="session")
def rows(devices: Mapping[str, Device], files: Mapping[str, Path], dataset: Dataset) -> list[matrix.Row]:
    """Return the matrix of the suite's own exports and of what ships."""
    every = [*models.bundled_models(), *files.values()]
    return matrix.rows(list(devices.values()), every, dataset.test_images[: matrix.IMAGES])


@pytest.mark.parametrize("board", BOARDS)
def test_doctor_finds_the_engines_of_the_board(board: str, outcomes: Mapping[str, Outcomes]) -> None:
    result = outcomes[board]["doctor"]
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)

    assert tuple(found["engine"] for found in report["engines"] if found["works"]) == BOARDS[board].engines
    assert report["pictures"]["works"]
    assert report["host"]["bits"] == (32 if board == "legacy32" else 64)
    assert report["host"]["python"].startswith(f"{BOARDS[board].python}.")


@pytest.mark.parametrize("board", BOARDS)
def test_the_model_that_ships_proves_itself(board: str, outcomes: Mapping[str, Outcomes]) -> None:
    result = outcomes[board]["selftest"]
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)

    assert report["passed"]
    assert report["engine"] == BOARDS[board].engines[0]
    assert report["max_lsb"] <= (1 if board == "legacy32" else 0)


@pytest.mark.parametrize("board", BOARDS)
def test_pictures_and_arrays_are_read_as_on_the_workstation(board: str, outcomes: Mapping[str, Outcomes]) -> None:
    result = outcomes[board]["classify"]
    assert result.returncode == 0, result.stderr
    picture, array = json.loads(result.stdout)["predictions"]
    golden = sealed_model.read(models.bundled_models()[0]).golden
    drawn = golden.images[golden.picture]

    with Classifier.load() as classifier:
        for found, expected in (
            (picture, classifier.classify(mnist.to_mnist(mnist.to_picture(drawn)))),
            (array, classifier.classify(drawn)),
        ):
            assert found["label"] == expected.label == golden.predicted[golden.picture]
            assert found["confidence"] == pytest.approx(expected.confidence, abs=0.02)


def test_every_file_answers_on_every_board_as_on_the_workstation(
    rows: list[matrix.Row], files: Mapping[str, Path], dataset: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():
        print("\n" + page.matrix([row.to_dict() for row in rows], list(BOARDS)))

    assert [row for row in rows if not row.passed] == []
    every = [*models.bundled_models(), *files.values()]
    for name, board in BOARDS.items():
        found = {row.file: row.images for row in rows if row.board == name}
        assert set(found) == {file.name for engine in board.engines for file in matrix.for_engine(engine, every)}
        assert {count for file, count in found.items() if "int16x8" not in file} == {min(500, len(dataset.test_images))}


def test_inferences_take_as_many_instructions_as_committed(
    devices: Mapping[str, Device],
    files: Mapping[str, Path],
    dataset: Dataset,
    capsys: pytest.CaptureFixture[str],
) -> None:
    counted = [*models.bundled_models(), *(file for name, file in files.items() if name.split("-")[1] in cost.COUNTED)]
    try:
        figures = cost.instructions(list(devices.values()), counted, dataset.test_images)
    except UnavailableError as error:
        pytest.skip(str(error))
    versions = cost.versions_of(list(devices.values()))
    wrong, skipped = cost.compare(json.loads(COMMITTED.read_text(encoding="utf-8")), figures, versions)

    with capsys.disabled():
        print("".join(f"\n{sentence}" for sentence in skipped), end="")
    assert wrong == []


def test_a_program_on_a_board_sees_the_board_and_what_it_starts_does_too(devices: Mapping[str, Device]) -> None:
    command = "stat -c %n /usr/lib/*-linux-gnu; python3 -c 'import os; print(os.uname().machine)'; exit 7"
    result = jobs.run(devices["pi5"], ["sh", "-c", command])

    assert result.returncode == 7
    assert result.stdout.split() == ["/usr/lib/aarch64-linux-gnu", "aarch64"]


def test_offline_there_is_no_network_but_the_loopback(devices: Mapping[str, Device], tmp_path: Path) -> None:
    interfaces: Callable[[str], set[str]] = lambda text: set(re.findall(r"^ *(\w+):", text, re.MULTILINE))  # noqa: E731
    command = [sys.executable, Path(cost.__file__).parents[1] / "emulated-pi", "--offline", "pi4", "--"]
    result = subprocess.run(
        [*command, "cat", "/proc/net/dev"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    if result.returncode == UnavailableError.exit_code:
        pytest.skip(result.stderr)

    assert result.returncode == 0, result.stderr
    assert interfaces(result.stdout) == {"lo"}
