"""The search for the smallest machine and the archive that it starts from; whole machines are started by hand."""

from __future__ import annotations

import shutil
import stat
import subprocess

import pytest
from mnist_edge_emulators.raspberry_pi import memory


class _Machine(memory.VirtualMachine):
    """A machine that classifies with at least so much memory."""

    def __init__(self, needed: int) -> None:
        self.needed = needed

    def run(self, engine: str, name: str, mebibytes: int) -> float | None:
        return 40.0 if mebibytes >= self.needed else None


@pytest.mark.parametrize(("needed", "found"), [(75, 80), (80, 80), (128, 128), (129, 144), (16, 16)])
def test_the_smallest_machine_is_found_from_above_and_below(needed: int, found: int) -> None:
    assert memory.least(_Machine(needed), "litert") == found


@pytest.mark.skipif(shutil.which("cpio") is None, reason="cpio is not installed")
def test_the_archive_is_one_that_cpio_reads() -> None:
    members = (("bin", stat.S_IFDIR | 0o755, b""), ("init", stat.S_IFREG | 0o755, b"odd"), ("TRAILER!!!", 0, b""))
    archive = b"".join(memory._member(*each) for each in members)
    listed = subprocess.run(["cpio", "--list", "--quiet"], input=archive, capture_output=True, check=True).stdout

    assert listed.split() == [b"bin", b"init"]
