from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mnist_edge_emulators import cache

MAKE = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from mnist_edge_emulators import cache

def make(new):
    with open(sys.argv[2], "a") as made:
        made.write("x")
    time.sleep(0.5)
    (new / "whole").touch()

print((cache.cached("thing-1", make) / "whole").exists())
"""


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MNIST_EDGE_EMULATORS", str(tmp_path / "emulators"))


def test_processes_that_want_the_same_folder_together_get_one_that_is_made_once(tmp_path: Path) -> None:
    command = [sys.executable, "-c", MAKE, Path(cache.__file__).parents[1], tmp_path / "made"]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]

    assert [process.communicate()[0] for process in processes] == ["True\n"] * 3
    assert (tmp_path / "made").read_text() == "x"


def test_what_fails_half_way_leaves_nothing() -> None:
    def make(new: Path) -> None:
        (new / "half").touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.cached("thing-1", make)
    assert [file.name for file in cache.folder().iterdir()] == [".thing-1.lock"]


def test_what_a_kill_left_goes_away_with_the_next_try() -> None:
    left = cache.folder() / ".0badf00d.thing-1"
    left.mkdir(parents=True)

    assert cache.cached("thing-1", lambda new: None).is_dir()
    assert not left.exists()


def test_of_the_same_kind_only_what_nobody_uses_is_removed() -> None:
    old, used, other = (cache.cached(name, lambda new: None) for name in ("thing-1", "thing-2", "matter-1"))
    month_ago = time.time() - 30 * 24 * 3600
    for folder in (old, used, other):
        os.utime(folder, (month_ago, month_ago))
    cache.cached("thing-2", lambda new: None)

    cache.cached("thing-3", lambda new: None)

    assert not old.exists()
    assert used.exists()
    assert other.exists()
