from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from mnist_edge_runtime.errors import InputError
from mnist_edge_trainer.runs import locks

HOLD = """
import sys, time
from pathlib import Path
from mnist_edge_trainer.runs import locks
with locks.{0}:
    print("locked", flush=True)
    sys.stdin.read()
"""


@contextmanager
def held(expression: str) -> Iterator[subprocess.Popen[str]]:
    """Hold a lock in another process; the end of its stdin ends it."""
    command = [sys.executable, "-c", HOLD.format(expression)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdin
        assert process.stdout.readline() == "locked\n"
        try:
            yield process
        finally:
            process.stdin.close()


class TestTraining:
    def test_a_second_one_is_told_who_has_the_name_and_since_when(self, tmp_path: Path) -> None:
        with held(f"training(Path({str(tmp_path)!r}), 'mine')") as other:
            begun = time.monotonic()
            with pytest.raises(InputError) as caught, locks.training(tmp_path, "mine"):
                pytest.fail("both train")
            assert time.monotonic() - begun < 1
        assert f"{tmp_path / 'mine'}: is being trained by process {other.pid} on " in str(caught.value)
        assert f"since {time.strftime('%Y-%m-')}" in str(caught.value)
        assert "--name" in str(caught.value)

    def test_another_name_is_free(self, tmp_path: Path) -> None:
        with held(f"training(Path({str(tmp_path)!r}), 'mine')"), locks.training(tmp_path, "mine-2"):
            pass

    def test_a_killed_process_leaves_no_lock(self, tmp_path: Path) -> None:
        with held(f"training(Path({str(tmp_path)!r}), 'mine')") as other:
            other.send_signal(signal.SIGKILL)
            other.wait(30)
            assert list(tmp_path.iterdir())
            with locks.training(tmp_path, "mine"):
                pass

    def test_nothing_stays(self, tmp_path: Path) -> None:
        with locks.training(tmp_path / "runs", "mine"):
            assert [path.name for path in (tmp_path / "runs").iterdir()] == [".mine~training"]
        assert not (tmp_path / "runs").exists()
        (tmp_path / "runs").mkdir()
        with pytest.raises(ZeroDivisionError), locks.training(tmp_path / "runs", "mine"):
            raise ZeroDivisionError
        assert list((tmp_path / "runs").iterdir()) == []

    def test_who_has_it_may_not_have_written_it_yet(self, tmp_path: Path) -> None:
        with locks.training(tmp_path, "mine"):
            (tmp_path / ".mine~training").write_bytes(b"")
            with (
                pytest.raises(InputError, match="is being trained by another process"),
                locks.training(tmp_path, "mine"),
            ):
                pytest.fail("both train")


class TestPublishing:
    def test_one_waits_for_the_other(self, tmp_path: Path) -> None:
        order: list[str] = []

        def publish() -> None:
            with locks.publishing(tmp_path / "mine"):
                order.append("published")

        with locks.publishing(tmp_path / "mine"):
            thread = threading.Thread(target=publish)
            thread.start()
            time.sleep(0.2)
            order.append("replaced")
        thread.join(30)
        assert order == ["replaced", "published"]
        assert list(tmp_path.iterdir()) == []

    def test_many_never_meet(self, tmp_path: Path) -> None:
        """The file of the lock is removed each time, which must not let two in."""
        inside: list[int] = []
        most: list[int] = []

        def publish() -> None:
            for _ in range(100):
                with locks.publishing(tmp_path / "mine"):
                    inside.append(1)
                    most.append(len(inside))
                    inside.pop()

        threads = [threading.Thread(target=publish) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert len(most) == 800
        assert max(most) == 1

    def test_where_no_file_can_be_written_there_is_nothing_to_lock(self, tmp_path: Path) -> None:
        with locks.publishing(tmp_path / "nowhere" / "mine"):
            assert os.listdir(tmp_path) == []


def test_a_lock_holds_on_a_full_disk_and_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(locks.os, "write", full)
    with locks.publishing(tmp_path / "run"), locks.training(tmp_path, "run"):
        with pytest.raises(InputError, match="is being trained by another process"), locks.training(tmp_path, "run"):
            pass
        assert len(list(tmp_path.iterdir())) == 2
    assert list(tmp_path.iterdir()) == []
