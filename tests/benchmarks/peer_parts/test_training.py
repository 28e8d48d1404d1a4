from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

LINES = """
import sys
print("data: 55,000 training images", file=sys.stderr)
print("epoch 1/2  loss 0.3  accuracy 91.00%  validation loss 0.1  accuracy 98.98%  4.0 s", file=sys.stderr)
print("epoch 2/2  validation accuracy 99.00%", file=sys.stderr)
sys.exit({code})
"""


def test_epochs_are_read_from_what_a_training_prints(part: Callable[[str], Any]) -> None:
    training = part("training")

    epochs = list(training.epochs_of([sys.executable, "-c", LINES.format(code=0)]))

    assert [(number, accuracy) for number, _, accuracy, _ in epochs] == [(1, 0.9898), (2, 0.99)]
    assert 0 <= epochs[0][1] <= epochs[1][1]
    assert 0 <= epochs[0][3] <= epochs[1][3] < 10
    assert training.reached(epochs) == epochs[1]
    assert training.reached(epochs[:1]) is None


def test_a_failed_training_is_no_figure(part: Callable[[str], Any]) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        list(part("training").epochs_of([sys.executable, "-c", LINES.format(code=3)]))
