from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from mnist_edge_emulators.errors import EmulatorError
from mnist_edge_emulators.microcontroller import emulator, firmware
from mnist_edge_emulators.microcontroller.chips import CHIPS
from mnist_edge_emulators.microcontroller.firmware import Exported, Program
from mnist_edge_runtime import models
from mnist_edge_runtime.model_file import sealed_model

CLASSIFIED = """
#include "network.h"
void network_logits(const uint8_t image[NETWORK_PIXELS], uint8_t logits[NETWORK_CLASSES]) {
    volatile uint8_t used[500];
    uint32_t left = 50000;
    used[image[0]] = image[0];
#ifdef __riscv
    __asm__ volatile("1: addi %0, %0, -1\\nbnez %0, 1b" : "+r"(left));
#else
    __asm__ volatile("1: subs %0, %0, #1\\nbne 1b" : "+r"(left) : : "cc");
#endif
    for (left = 0; left < NETWORK_CLASSES; left++) logits[left] = (uint8_t)(used[image[0]] + left);
}
"""


@pytest.mark.parametrize("chip", CHIPS)
def test_instructions_and_stack_are_counted_to_a_few(chip: str, exported: Exported, tmp_path: Path) -> None:
    """A network that executes 100,000 instructions in a loop, and has 500 bytes on its stack."""
    source = tmp_path / "src"
    source.mkdir()
    for name in ("network.h", "network_golden.c"):
        (source / name).write_text((exported.folder / "src" / name).read_text(encoding="utf-8"), encoding="utf-8")
    (source / "network.c").write_text(CLASSIFIED)
    program = firmware.compiled(firmware.read(tmp_path), CHIPS[chip], tmp_path)
    images = np.zeros((3, 28, 28), np.uint8)
    images[:, 0, 0] = (7, 8, 9)

    found = emulator.run(program, CHIPS[chip], images, 10)
    np.testing.assert_array_equal(found.logits, np.add.outer([7, 8, 9], np.arange(10)))
    assert 100_000 <= found.instructions <= 100_400
    assert 490 <= found.stack <= 600
    assert found.wrong > 0  # the golden images want other logits


def test_a_program_that_ends_otherwise_is_an_error(exported: Exported, tmp_path: Path) -> None:
    (tmp_path / "nothing.elf").write_bytes(b"")
    with pytest.raises(EmulatorError, match=r"^cortex-m3: qemu ended with -6: qemu: fatal: Lockup: .*$"):
        emulator.run(Program(tmp_path / "nothing.elf", 0, 0), CHIPS["cortex-m3"], np.zeros((1, 28, 28), np.uint8), 10)


def test_the_golden_images_get_their_logits(exported: Exported, tmp_path: Path) -> None:
    golden = sealed_model.read(models.bundled_models("litert", "small")[0]).golden
    chip = CHIPS["cortex-m4"]
    found = emulator.run(firmware.compiled(exported, chip, tmp_path), chip, golden.images, 10)
    assert found.wrong == 0
    np.testing.assert_array_equal(found.logits.argmax(axis=1).astype(str), golden.predicted)
