"""One training and one export of each kind for the suite: on MNIST where $MNIST_EDGE_DATA is set, else on digits."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from mnist_edge_emulators.raspberry_pi import cache
from mnist_edge_trainer.data import datasets
from mnist_edge_trainer.data.datasets import Dataset

if TYPE_CHECKING:
    from mnist_edge_exporters.export.export import Exported
    from mnist_edge_exporters.source import Source
    from mnist_edge_trainer.runs.run import Run

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the suite off the person's caches, but for emulated boards, which take minutes to make."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MNIST_EDGE_BOARDS", str(cache.folder()))
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("KERAS_HOME", str(tmp_path_factory.mktemp("keras")))
        yield


@pytest.fixture(scope="session")
def mnist_folder() -> Path:
    """The folder of real MNIST; tests that need it are skipped without it."""
    folder = os.environ.get("MNIST_EDGE_DATA")
    if not folder:
        pytest.skip("MNIST_EDGE_DATA is not set")
    return Path(folder).resolve()


@pytest.fixture(scope="session")
def digits() -> Dataset:
    return datasets.load("digits")


@pytest.fixture(scope="session")
def dataset(digits: Dataset) -> Dataset:
    return datasets.load("mnist") if os.environ.get("MNIST_EDGE_DATA") else digits


@pytest.fixture(scope="session")
def runs_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("session") / "runs"


@pytest.fixture(scope="session")
def run(dataset: Dataset, runs_dir: Path) -> Run:
    """What `mnist-edge train` with no options makes."""
    from mnist_edge_trainer.networks.config import TrainConfig
    from mnist_edge_trainer.runs import run
    from mnist_edge_trainer.training.fit import train

    return run.save(train(TrainConfig(), dataset, datasets.split(dataset)), dataset, runs_dir, "classic")


@pytest.fixture(scope="session")
def source(run: Run, dataset: Dataset) -> Source:
    from mnist_edge_exporters.source import Source

    return Source.load(run.name, run.model_file, run.origin, dataset, datasets.split(dataset))


@pytest.fixture(scope="session")
def exported(run: Run, source: Source) -> Mapping[str, Exported]:
    """The outcome of every offered cell, by its name: "tflite-int8" and so on. Files must not be changed in place."""
    from mnist_edge_exporters.export.export import export
    from mnist_edge_exporters.spec import Options, select

    return {str(outcome.spec): outcome for outcome in export(source, select("all", "all"), run.exports, Options())}


@pytest.fixture(scope="session")
def files(exported: Mapping[str, Exported]) -> Mapping[str, Path]:
    """The published file of every offered cell."""
    return {name: outcome.file for name, outcome in exported.items() if outcome.file}
