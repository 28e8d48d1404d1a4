"""Commands on emulated boards, as a person types them on a Raspberry Pi: doctor, selftest, classify."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mnist_edge_emulators
import numpy as np
import pytest
from mnist_edge_emulators.errors import UnavailableError
from mnist_edge_emulators.raspberry_pi import jobs
from mnist_edge_emulators.raspberry_pi.boards import BOARDS
from mnist_edge_emulators.raspberry_pi.device import Device
from mnist_edge_runtime import Classifier, host, models
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.preprocessing import mnist
from PIL import Image

Outcomes = Mapping[str, subprocess.CompletedProcess[str]]
TASKS = {
    "doctor": "mnist-edge-runtime doctor --json",
    "selftest": "mnist-edge-runtime selftest --json",
    "classify": "mnist-edge-runtime classify --accept-all --json digit.png digit.npy",
}


@pytest.fixture(scope="session")
def outcomes(devices: Mapping[str, Device], tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Outcomes]:
    """Return the result of every task on every board; as many boards work in parallel as there are cores."""
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

    with ThreadPoolExecutor(host.cores()) as pool:
        return dict(zip(devices, pool.map(work, devices.values()), strict=True))


@pytest.mark.parametrize("board", BOARDS)
def test_doctor_finds_the_engines_of_the_board(board: str, outcomes: Mapping[str, Outcomes]) -> None:
    result = outcomes[board]["doctor"]
    assert result.returncode == 0, result.stderr
    report = json.loads(result.stdout)

    assert tuple(found["engine"] for found in report["engines"] if found["works"]) == BOARDS[board].engines
    notes = {found["engine"]: found["note"] for found in report["engines"] if found["note"]}
    if board == "haswell":
        assert "int8 files run on slower kernels: without VNNI" in notes["onnxruntime"]
    else:
        assert notes == {}
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


def test_a_program_on_a_board_sees_the_board_and_what_it_starts_does_too(devices: Mapping[str, Device]) -> None:
    command = "stat -c %n /usr/lib/*-linux-gnu; python3 -c 'import os; print(os.uname().machine)'; exit 7"
    result = jobs.run(devices["pi5"], ["sh", "-c", command])

    assert result.returncode == 7
    assert result.stdout.split() == ["/usr/lib/aarch64-linux-gnu", "aarch64"]


def test_offline_there_is_no_network_but_the_loopback(devices: Mapping[str, Device], tmp_path: Path) -> None:
    interfaces: Callable[[str], set[str]] = lambda text: set(re.findall(r"^ *(\w+):", text, re.MULTILINE))  # noqa: E731
    command = [sys.executable, Path(mnist_edge_emulators.__file__).parents[1] / "emulated-pi", "--offline", "pi4", "--"]
    result = subprocess.run(
        [*command, "cat", "/proc/net/dev"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    if result.returncode == UnavailableError.exit_code:
        pytest.skip(result.stderr)

    assert result.returncode == 0, result.stderr
    assert interfaces(result.stdout) == {"lo"}
