from __future__ import annotations

import pytest
from mnist_edge_emulators.microcontroller.chips import CHIPS, chip
from mnist_edge_runtime import UsageError
from mnist_edge_runtime.diagnostics.needs import MICROCONTROLLERS


def test_every_chip_has_the_memory_of_a_microcontroller() -> None:
    assert {part.chip for part in MICROCONTROLLERS} == set(CHIPS)
    assert all(each.part.chip == each.name for each in CHIPS.values())


def test_an_unknown_chip_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="there is no chip 'z80'; choose from cortex-m0, "):
        chip("z80")
