from __future__ import annotations

import pytest
from mnist_edge_emulators.microcontroller.chips import CHIPS, PARTS, chip, missing
from mnist_edge_runtime import UsageError


def test_every_chip_has_the_memory_of_a_microcontroller() -> None:
    assert {part.chip for part in PARTS} == set(CHIPS)
    assert all(each.part.chip == each.name for each in CHIPS.values())


def test_what_is_missing_is_counted_with_the_stack() -> None:
    part = chip("cortex-m0").part
    assert missing(part, part.flash, part.ram - 1024) == ""
    assert missing(part, part.flash + 2000, part.ram - 1023) == "2,000 bytes of flash and 1 bytes of RAM"


def test_an_unknown_chip_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="there is no chip 'z80'; choose from cortex-m0, "):
        chip("z80")
