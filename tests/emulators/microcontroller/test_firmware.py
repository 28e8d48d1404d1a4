from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from mnist_edge_emulators.errors import EmulatorError
from mnist_edge_emulators.microcontroller import firmware
from mnist_edge_emulators.microcontroller.chips import CHIPS
from mnist_edge_emulators.microcontroller.firmware import Exported
from mnist_edge_runtime import InputError


def test_the_sizes_are_those_of_the_network_and_little_more(exported: Exported, tmp_path: Path) -> None:
    program = firmware.compiled(exported, CHIPS["cortex-m4"], tmp_path)
    source = (exported.folder / "src" / "network.h").read_text(encoding="utf-8")
    static, constants = (int(source.split(f"{word}: ")[1].split()[0]) for word in ("Static RAM", "Flash"))

    assert static + 784 + 10 <= program.ram <= static + 784 + 32
    assert constants + 500 < program.flash < constants + 6000
    golden = 10 * (784 + 10)
    assert len(program.file.read_bytes()) > program.flash + golden


@pytest.mark.parametrize("name", ["", "src"])
def test_a_folder_without_a_network_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "other.h").write_text("#define OTHER_CLASSES 10\n")
    with pytest.raises(InputError, match="no network in C is in it"):
        firmware.read(tmp_path / name)
    with pytest.raises(InputError, match="no such folder"):
        firmware.read(tmp_path / "nowhere")


def test_a_network_that_does_not_compile_is_named_with_the_compilers_reason(exported: Exported, tmp_path: Path) -> None:
    source = tmp_path / "src"
    source.mkdir()
    for file in (exported.folder / "src").iterdir():
        (source / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    (source / "network.c").write_text("int x = y;\n")
    broken = replace(exported, folder=tmp_path)
    with pytest.raises(EmulatorError, match=r"does not compile for rv32imc: .*error: .*'y'"):
        firmware.compiled(broken, CHIPS["rv32imc"], tmp_path)
