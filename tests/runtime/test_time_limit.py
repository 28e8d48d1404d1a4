"""A limit ends the process whatever its other threads do, so each test has a process of its own."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from mnist_edge_runtime.time_limit import time_limit

LATE = """
import sys, time
from mnist_edge_runtime.output_capture import suppress_output
from mnist_edge_runtime.time_limit import time_limit
print("before")
with time_limit(0.3, "it took too long", 5), suppress_output():
    {step}
"""


@pytest.mark.parametrize("step", ["time.sleep(60)", "while True: pass"], ids=["waits", "computes"])
def test_a_block_that_takes_too_long_ends_the_process(step: str) -> None:
    started = time.monotonic()
    command = [sys.executable, "-c", LATE.format(step=step)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=50)

    assert (result.returncode, result.stdout, result.stderr) == (5, "before\n", "it took too long\n")
    assert time.monotonic() - started < 20


def test_a_block_that_ends_in_time_leaves_nothing() -> None:
    with time_limit(0.2, "never printed", 5) as limit:
        for _ in range(6):
            time.sleep(0.1)
            limit.again()
        limit.pause()
        time.sleep(0.5)
    with pytest.raises(ZeroDivisionError), time_limit(0.2, "never printed", 5):
        _ = 1 / 0
    time.sleep(0.5)
