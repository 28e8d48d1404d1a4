"""The boards, made once for all tests; where they cannot be had, the tests that need them are skipped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from boards import root
from boards.emulator import Device
from boards.errors import UnavailableError
from boards.recipes import BOARDS


@pytest.fixture(scope="session")
def devices() -> Mapping[str, Device]:
    try:
        with ThreadPoolExecutor(2) as pool:  # fetching waits for the network
            made: Sequence[Device] = list(pool.map(root.device, BOARDS.values()))
    except UnavailableError as error:
        pytest.skip(str(error))
    return {device.board.name: device for device in made}
