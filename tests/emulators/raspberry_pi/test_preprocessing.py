"""Prepare pictures and read pages on every board: the same bits as on the workstation, on 32 bits as well."""

from __future__ import annotations

import json
import runpy
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from mnist_edge_emulators.raspberry_pi import jobs
from mnist_edge_emulators.raspberry_pi.boards import BOARDS
from mnist_edge_emulators.raspberry_pi.device import READER, Device
from mnist_edge_runtime import Classifier, host, models
from mnist_edge_runtime.line_reader import read_lines
from mnist_edge_runtime.model_file import sealed_model
from numpy.typing import NDArray

SAME_BITS = runpy.run_path(str(Path(__file__).parents[2] / "runtime/preprocessing/test_same_bits.py"))
PROGRAM = """
import hashlib, json, sys
import numpy as np
from mnist_edge_runtime import Classifier
from mnist_edge_runtime.line_reader import read_lines
from mnist_edge_runtime.preprocessing import mnist

with np.load("/pictures/pictures.npz") as pictures, Classifier.load() as classifier:
    digests = [hashlib.sha256(mnist.to_mnist(pictures[name]).tobytes()).hexdigest()[:12] for name in pictures.files[1:]]
    lines = [[list(digit.box) for digit in line] for line in read_lines(pictures["page"], classifier)]
print(json.dumps({"digests": digests, "lines": lines}))
"""


@pytest.fixture(scope="session")
def page() -> NDArray[np.uint8]:
    """Two lines of digits on ruled paper."""
    images = sealed_model.read(models.bundled_models()[0]).golden.images
    ink = np.concatenate([np.hstack(list(np.kron(images[start : start + 5], np.ones((1, 4, 4))))) for start in (0, 5)])
    paper = np.full((ink.shape[0] + 80, ink.shape[1] + 80), 235.0)
    paper[20::60] = paper[21::60] = 190
    paper[40:-40, 40:-40] -= ink * 0.7
    return np.clip(paper, 0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def answers(
    devices: Mapping[str, Device], page: NDArray[np.uint8], tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, Mapping[str, object]]:
    folder = tmp_path_factory.mktemp("prepared")
    pictures = {str(number): SAME_BITS["_picture"](number) for number in range(len(SAME_BITS["DIGESTS"]))}
    np.savez(folder / "pictures.npz", page=page, **pictures)

    def work(device: Device) -> Mapping[str, object]:
        found = jobs.run(device, [f"{READER}/bin/python3", "-c", PROGRAM], binds=[(folder, "/pictures")])
        assert found.returncode == 0, found.stderr
        answer: Mapping[str, object] = json.loads(found.stdout)
        return answer

    with ThreadPoolExecutor(host.cores()) as pool:
        return dict(zip(devices, pool.map(work, devices.values()), strict=True))


@pytest.mark.parametrize("board", BOARDS)
def test_pictures_have_the_same_bits(board: str, answers: Mapping[str, Mapping[str, object]]) -> None:
    assert answers[board]["digests"] == list(SAME_BITS["DIGESTS"])


@pytest.mark.parametrize("board", BOARDS)
def test_pages_have_the_same_boxes(
    board: str, answers: Mapping[str, Mapping[str, object]], page: NDArray[np.uint8]
) -> None:
    with Classifier.load() as classifier:
        lines = read_lines(page, classifier)

    assert [len(line) for line in lines] == [5, 5]
    assert answers[board]["lines"] == [[list(digit.box) for digit in line] for line in lines]
