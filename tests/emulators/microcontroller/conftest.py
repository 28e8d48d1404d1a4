"""The shipped networks on all chips, measured once; without qemu's packages or the compiler the tests skip."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence

import pytest
from mnist_edge_emulators.errors import UnavailableError
from mnist_edge_emulators.microcontroller import emulator, figures
from mnist_edge_emulators.microcontroller.figures import Row
from mnist_edge_emulators.microcontroller.firmware import Exported
from mnist_edge_runtime import models
from mnist_edge_trainer.data.datasets import Dataset


@pytest.fixture(scope="session", autouse=True)
def _available() -> None:
    try:
        emulator.tools()
    except UnavailableError as error:
        pytest.skip(str(error))
    if importlib.util.find_spec("ziglang") is None:
        pytest.skip("ziglang is not installed")


@pytest.fixture(scope="session")
def measured(_available: None, dataset: Dataset) -> Sequence[Row]:
    return figures.rows(figures.shipped("litert"), dataset.test_images)


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """The bundled network in C."""
    return figures.exported(models.bundled_models("litert", "small")[0], tmp_path_factory.mktemp("exported"))
