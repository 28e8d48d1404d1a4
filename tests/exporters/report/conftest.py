"""The hash by which a file is known to be of the session's run."""

from __future__ import annotations

import pytest
from mnist_edge_exporters import network
from mnist_edge_exporters.source import Source


@pytest.fixture(scope="session")
def weights(source: Source) -> str:
    return network.weights_sha256(source.model)
