from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mnist_edge_trainer.runs import locks, replacement

KILLED = """
import os, signal, sys
from pathlib import Path
from mnist_edge_trainer.runs import replacement

runs, exchanges, moment = Path(sys.argv[1]), sys.argv[2] == "exchange", int(sys.argv[3])
if not exchanges:
    replacement._exchange = lambda one, other: False
calls = 0

def counted(work):
    def call(*arguments, **options):
        global calls
        if calls == moment:
            os.kill(os.getpid(), signal.SIGKILL)
        calls += 1
        return work(*arguments, **options)
    return call

os.rename = counted(os.rename)
replacement._exchange = counted(replacement._exchange)
replacement.shutil.rmtree = counted(replacement.shutil.rmtree)
replacement.replace(runs / ".0123abcd.mine", runs / "mine")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """A run, and one that replaces it."""
    for name, content in (("mine", "old"), (".0123abcd.mine", "new")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").write_text(content)
    return tmp_path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("exchanges", [True, False], ids=["exchange", "two renames"])
def test_the_new_one_stands_in_the_place_of_the_old(
    runs: Path, exchanges: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not exchanges:
        monkeypatch.setattr(replacement, "_exchange", lambda one, other: False)
    replacement.replace(runs / ".0123abcd.mine", runs / "mine")
    assert names(runs) == ["mine"]
    assert (runs / "mine" / "run.json").read_text() == "new"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the call is Linux's")
def test_this_system_exchanges_atomically(runs: Path) -> None:
    assert replacement._exchange(runs / "mine", runs / ".0123abcd.mine")
    assert (runs / "mine" / "run.json").read_text() == "new"
    assert (runs / ".0123abcd.mine" / "run.json").read_text() == "old"
    with pytest.raises(FileNotFoundError):
        replacement._exchange(runs / "mine", runs / "nothing")


@pytest.mark.parametrize(
    ("way", "moment", "expected"),
    [
        ("exchange", 0, "old"),  # before anything
        ("exchange", 1, "new"),  # before the old one is removed
        ("exchange", 2, "new"),  # at the end
        ("renames", 1, "old"),  # before the first rename
        ("renames", 2, "new"),  # between both
        ("renames", 3, "new"),  # before the old one is removed
        ("renames", 4, "new"),  # at the end
    ],
)
def test_a_kill_at_any_moment_loses_no_run(runs: Path, way: str, moment: int, expected: str) -> None:
    ended = subprocess.run([sys.executable, "-c", KILLED, str(runs), way, str(moment)], check=False)
    assert ended.returncode == -signal.SIGKILL
    between = (way, moment) == ("renames", 2)
    assert (runs / "mine").exists() != between
    replacement.recover(runs / "mine")
    assert (runs / "mine" / "run.json").read_text() == expected
    replacement.remove_leftovers(runs, "mine")
    assert names(runs) == ["mine"]


def test_a_kill_before_the_new_one_was_moved_brings_back_the_old(runs: Path) -> None:
    (runs / "mine").rename(runs / ".0123abcd.mine~")
    (runs / ".0123abcd.mine").rename(runs / "elsewhere")
    replacement.recover(runs / "mine")
    assert (runs / "mine" / "run.json").read_text() == "old"


def test_only_what_is_left_of_the_name_is_recovered(runs: Path) -> None:
    (runs / "mine").rename(runs / ".0123abcd.mine~")
    for other in ("abcd.mine", "min", "mine~", "ine"):
        replacement.recover(runs / other)
    assert names(runs) == [".0123abcd.mine", ".0123abcd.mine~"]


class TestLeftovers:
    def test_what_is_alive_stays(self, runs: Path) -> None:
        (runs / ".4567abcd.yours").mkdir()
        with locks.training(runs, "yours"):
            replacement.remove_leftovers(runs, "mine")
            assert names(runs) == [".4567abcd.yours", ".yours~training", "mine"]
        replacement.remove_leftovers(runs, "mine")
        assert names(runs) == ["mine"]

    def test_checkpoints_and_all_else_stay(self, runs: Path) -> None:
        others = [".mine.0123456789abcdef", ".98c5e33a.0123456789abcdef", ".git", "studies", ".mine", "0123abcd.mine"]
        for name in others:
            (runs / name).mkdir()
        replacement.remove_leftovers(runs, "mine")
        assert names(runs) == sorted([*others, "mine"])

    def test_a_hidden_file_goes_when_it_is_old(self, runs: Path) -> None:
        for name, age in ((".0000abcd.latest", 7200), (".1111abcd.latest", 0)):
            (runs / name).write_text("mine\n")
            os.utime(runs / name, (time.time() - age,) * 2)
        replacement.remove_leftovers(runs, "mine")
        assert names(runs) == [".1111abcd.latest", "mine"]


def test_the_lock_of_a_killed_replacement_is_removed(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / ".run~publishing").write_text("{}")
    replacement.remove_leftovers(tmp_path, "run")
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
