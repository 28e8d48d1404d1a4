from __future__ import annotations

import os
import signal

import pytest
from mnist_edge_runtime.service.stopping import until_stopped


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_noted_and_the_handlers_come_back(number: signal.Signals) -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    with until_stopped() as is_stopped:
        assert not is_stopped()
        os.kill(os.getpid(), number)
        assert is_stopped()
        assert signal.getsignal(number) == signal.SIG_DFL  # a second one ends the process

    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before
