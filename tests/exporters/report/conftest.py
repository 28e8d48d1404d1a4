"""The hash by which a file is known to be of the session's run."""

from __future__ import annotations

import pytest
from mnist_edge_exporters import keras_model
from mnist_edge_exporters.source import Source


@pytest.fixture(scope="session")
def weights(source: Source) -> str:
    return keras_model.weights_sha256(source.model)
