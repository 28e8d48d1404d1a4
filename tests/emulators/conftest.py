"""The boards, made once for all tests, and the exports of one quick training; without packages the tests skip."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from mnist_edge_emulators import cache
from mnist_edge_emulators.errors import UnavailableError
from mnist_edge_emulators.raspberry_pi import root
from mnist_edge_emulators.raspberry_pi.boards import BOARDS
from mnist_edge_emulators.raspberry_pi.device import Device
from mnist_edge_runtime import host
from mnist_edge_trainer.data import datasets
from mnist_edge_trainer.data.datasets import Dataset

if TYPE_CHECKING:
    from mnist_edge_trainer.runs.run import Run

_CACHE = cache.folder()  # found before the suite's own cache takes the person's place


@pytest.fixture(scope="session", autouse=True)
def _cached_boards(_own_cache: None) -> Iterator[None]:
    """Keep the person's boards, which take minutes to make."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MNIST_EDGE_EMULATORS", str(_CACHE))
        yield


@pytest.fixture(scope="session")
def devices() -> Mapping[str, Device]:
    try:
        with ThreadPoolExecutor(host.cores()) as pool:
            made: Sequence[Device] = list(pool.map(root.device, BOARDS.values()))
    except UnavailableError as error:
        pytest.skip(str(error))
    return {device.board.name: device for device in made}


@pytest.fixture(scope="session")
def dataset(digits: Dataset) -> Dataset:
    """Digits, even where MNIST is there: what boards do depends on a file's operators and not on its accuracy."""
    return digits


@pytest.fixture(scope="session")
def run(dataset: Dataset, runs_dir: Path) -> Run:
    """A few epochs of the classic network: a quarter of its recipe for small data."""
    from mnist_edge_trainer.networks.config import TrainConfig
    from mnist_edge_trainer.runs import run
    from mnist_edge_trainer.training.fit import train

    config = TrainConfig(parts={"epochs": 10})
    return run.save(train(config, dataset, datasets.split(dataset)), dataset, runs_dir, "classic")
