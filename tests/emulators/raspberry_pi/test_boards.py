from __future__ import annotations

import pytest
from mnist_edge_emulators.raspberry_pi.boards import BOARDS, board
from mnist_edge_runtime.errors import UsageError


def test_each_board_has_a_folder_of_its_own() -> None:
    assert len({each.folder for each in BOARDS.values()}) == len(BOARDS)


def test_an_unknown_board_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="there is no board 'pi9'; choose from pi4, pi5, zero2, legacy32, haswell"):
        board("pi9")
