from __future__ import annotations

from dataclasses import replace

import pytest
from mnist_edge_emulators import board
from mnist_edge_emulators.board import Board

BOARD = Board(
    name="own",
    title="A board of this test",
    cpu="cortex-a76",
    processor=(("BogoMIPS", "108.00"), ("CPU part", "0xd0b")),
    codename="trixie",
    architecture="arm64",
    python="3.13",
    packages=board.SYSTEM,
    wheels=board.WHEELS,
)


def test_another_description_is_another_folder() -> None:
    assert BOARD.folder == replace(BOARD).folder
    assert BOARD.folder.startswith("own-")
    assert replace(BOARD, wheels=("numpy==2.0.0",)).folder != BOARD.folder


def test_a_board_has_four_cores() -> None:
    assert BOARD.cpuinfo.count("CPU part\t: 0xd0b\n") == 4


@pytest.mark.parametrize(("architecture", "is_pi"), [("arm64", True), ("armhf", True), ("amd64", False)])
def test_a_pc_is_no_raspberry_pi(architecture: str, is_pi: bool) -> None:
    assert replace(BOARD, architecture=architecture).is_pi is is_pi


def test_both_engines_have_the_versions_of_the_workstation() -> None:
    names = [text.partition("==")[0] for text in board.WHEELS]
    assert {"ai-edge-litert", "onnxruntime"} <= set(names)
    with pytest.raises(KeyError):
        list(board.pinned("no-such-package"))
