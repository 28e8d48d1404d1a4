from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from mnist_edge_emulators.errors import UnavailableError
from mnist_edge_emulators.raspberry_pi import wheels
from mnist_edge_emulators.raspberry_pi.boards import BOARDS


def test_wheels_that_do_not_exist_are_not_available(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # An index of this test's own, so that no registry is asked.
    for variable in ("PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_INDEX_URL"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    board = replace(BOARDS["pi4"], wheels=("numpy==0.0.1",))

    with pytest.raises(UnavailableError, match=r"^the wheels numpy==0.0.1 .*: ERROR: Could not find"):
        wheels.download(board, tmp_path)
