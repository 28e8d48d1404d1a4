from __future__ import annotations

import subprocess
import sys

import pytest
from mnist_edge_emulators.raspberry_pi import seccomp

STATX = 332
ENOSYS = 38
# Calls statx with arguments that any kernel refuses, and prints the error's number.
CALL = f"""
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall({STATX}, -1, None, 0, 0, None)
print(ctypes.get_errno())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="seccomp is Linux's")
def test_a_hidden_call_is_not_there_for_the_command_and_all_others_are() -> None:
    command = [sys.executable, "-c", CALL]
    seen, hidden = (
        int(subprocess.run([*before, *command], capture_output=True, text=True, check=True).stdout)
        for before in ([], [sys.executable, seccomp.__file__])
    )

    assert seen != ENOSYS
    assert hidden == ENOSYS
