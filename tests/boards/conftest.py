"""The boards, made once for all tests; where they cannot be had, the tests that need them are skipped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from mnist_edge_emulators.raspberry_pi import root
from mnist_edge_emulators.raspberry_pi.boards import BOARDS
from mnist_edge_emulators.raspberry_pi.emulator import Device
from mnist_edge_emulators.raspberry_pi.errors import UnavailableError


@pytest.fixture(scope="session")
def devices() -> Mapping[str, Device]:
    try:
        with ThreadPoolExecutor(2) as pool:  # fetching waits for the network
            made: Sequence[Device] = list(pool.map(root.device, BOARDS.values()))
    except UnavailableError as error:
        pytest.skip(str(error))
    return {device.board.name: device for device in made}
