from __future__ import annotations

from dataclasses import replace

import pytest
from mnist_edge_emulators.raspberry_pi.boards import BOARDS, board
from mnist_edge_runtime.errors import UsageError


def test_another_description_is_another_folder() -> None:
    pi4 = BOARDS["pi4"]
    assert pi4.folder == replace(pi4).folder
    assert pi4.folder.startswith("pi4-")
    assert replace(pi4, wheels=("numpy==2.0.0",)).folder != pi4.folder
    assert len({each.folder for each in BOARDS.values()}) == len(BOARDS)


def test_a_board_has_four_cores() -> None:
    assert BOARDS["pi5"].cpuinfo.count("CPU part\t: 0xd0b\n") == 4


def test_an_unknown_board_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="there is no board 'pi9'; choose from pi4, pi5, zero2, legacy32"):
        board("pi9")
