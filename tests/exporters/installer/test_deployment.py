"""What runs on a host, run here: its input is a pipe, its output is read back, and no ssh lies between."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mnist_edge_exporters.deploy.access import Access
from mnist_edge_exporters.deploy.plan import Plan
from mnist_edge_exporters.installer import deployment

Pack = Callable[..., Path]
Told = list[dict[str, Any]]
Host = Callable[..., Told]
FAILED = "the self-test failed, so nothing was changed"


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    """Return a folder that is not there yet, below one that is."""
    (tmp_path / "home").mkdir()
    return tmp_path / "home" / "apps" / "reader"


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Host]:
    """Return what gives the order to the host, sends it the bundle, or as much as is told, and returns its answers."""
    (tmp_path / "bin").mkdir()
    python = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    (tmp_path / "bin" / "python3").symlink_to(Path(sys.base_prefix, "bin", python))
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    stdin, told = os.dup(0), deployment._say

    def run(bundle: Path, prefix: Path, *, sent: int | None = None, **changes: object) -> Told:
        plan = Plan.of(bundle, Access(str(prefix)), dry_run=False)
        reading, writing = os.pipe()
        os.dup2(reading, 0)
        os.close(reading)
        ready, done = threading.Event(), threading.Event()

        def say(**answer: Any) -> None:
            told(**answer)
            if answer.get("event") == "ready":
                ready.set()

        monkeypatch.setattr(deployment, "_say", say)

        def send() -> None:
            with contextlib.suppress(BrokenPipeError), os.fdopen(writing, "wb", buffering=0) as pipe:
                ready.wait()  # as the workstation does, before it sends a byte
                pipe.write(plan.data[:sent])
                if sent is None:
                    done.wait()  # and until it has been told

        sender = threading.Thread(target=send)
        sender.start()
        try:
            deployment.main({**plan.order(), **changes})
        finally:
            os.dup2(stdin, 0)
            ready.set()
            done.set()
            sender.join()
        mark = deployment.MARK.decode()
        return [json.loads(line.removeprefix(mark)) for line in capfd.readouterr().out.splitlines() if mark in line]

    yield run
    os.close(stdin)
    for number, handler in handlers.items():
        signal.signal(number, handler)


def _in_use(prefix: Path) -> str | None:
    return os.path.basename(os.readlink(prefix / "current")) if prefix.exists() else None


def test_a_bundle_is_installed_once(small: Pack, host: Host, prefix: Path) -> None:
    bundle = small()
    looked, *events, done = host(bundle, prefix)
    assert (looked["before"], looked["now"], looked["busy"]) == (None, None, False)
    assert [each["event"].split(":")[0] for each in events] == ["ready", "installing", "self-test passed", "installed"]
    assert done == {"now": _in_use(prefix), "done": "installed"}
    again = host(bundle, prefix)
    assert again[0]["before"] == done["now"]
    assert again[1:] == [{"done": "already installed"}]
    assert not (prefix / ".new").exists()


def test_what_is_installed_and_broken_is_installed_again(small: Pack, host: Host, prefix: Path) -> None:
    bundle = small()
    host(bundle, prefix)
    (prefix / "current" / "command.py").write_text("raise SystemExit('broken since')")
    told = host(bundle, prefix)
    assert (
        told[1]["event"] == "the same bundle is installed, but its self-test fails: broken since; it is installed again"
    )
    assert told[-1]["done"] == "installed"
    assert host(bundle, prefix)[-1] == {"done": "already installed"}


@pytest.mark.parametrize(
    ("pack", "changes", "reason"),
    [
        ({"selftest": "bad"}, {}, f"{FAILED}: failed: class 3 instead of 8"),
        (
            {"selftest": "late"},
            {},
            f"{FAILED}: failed: only where it was not meant to",
        ),
        ({}, {"sha256": "0" * 64}, "the SHA-256 of what arrived is not that of what was sent; start again"),
        ({}, {"sent": 1000}, "stopped"),
    ],
)
def test_one_that_fails_leaves_nothing(
    pack: dict[str, Any], changes: dict[str, Any], reason: str, small: Pack, host: Host, prefix: Path
) -> None:
    *_, undone, error = host(small(**pack), prefix, **changes)
    assert undone == {"now": None}
    assert error == {"error": reason}
    assert list(prefix.parent.parent.iterdir()) == []


def test_one_that_fails_leaves_the_version_in_use(small: Pack, host: Host, prefix: Path) -> None:
    host(small(), prefix)
    before = _in_use(prefix)
    *_, undone, _ = host(small("late"), prefix)
    assert undone["now"] == before == _in_use(prefix)


def test_only_to_look_changes_nothing(small: Pack, host: Host, prefix: Path) -> None:
    assert host(small(), prefix, sent=0)[1:] == [{"event": "ready"}]
    assert list(prefix.parent.parent.iterdir()) == []


def test_places_that_are_refused(small: Pack, host: Host, prefix: Path) -> None:
    bundle, home = small(), prefix.parent.parent
    assert "the bundle is for this-machine: Python 2.7" in host(small(python="2.7"), prefix)[-1]["error"]
    assert host(bundle, prefix, needed=1 << 60)[-1]["error"].endswith("MB are free; make room and start again")
    (home / "file").touch()
    assert host(bundle, home / "file" / "below")[-1] == {"error": f"{home}/file: no folder; choose another --prefix"}
    assert "file is there, which no bundle has made" in host(bundle, home)[-1]["error"]
    assert [path.name for path in home.iterdir()] == ["file"]


def test_a_host_that_is_asked_changes_nothing(small: Pack, host: Host, prefix: Path) -> None:
    bundle = small()
    empty = host(bundle, prefix, sent=0, status=True)
    assert empty == [{"now": None}, {"error": f"{prefix}: nothing is installed there; deploy a bundle to it"}]
    assert list(prefix.parent.parent.iterdir()) == []
    host(bundle, prefix)
    now, about, done = host(bundle, prefix, status=True)
    assert now == {"now": _in_use(prefix)}
    assert about == {
        "model_sha256": hashlib.sha256(b"a model").hexdigest(),
        "model": "digits.tflite",
        "engine": "none",
        "runtime": "0.1.0",
    }
    assert done == {"done": "passed: as it promises"}
    (prefix / "current" / "command.py").write_text("raise SystemExit('broken since')")
    error = host(bundle, prefix, status=True)[-1]
    assert error == {"error": "its self-test fails: broken since; deploy its bundle to it again"}


def test_two_deployments_do_not_meet(small: Pack, host: Host, prefix: Path) -> None:
    prefix.mkdir(parents=True)
    with (prefix / ".lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        looked, error = host(small(), prefix)
    assert looked["busy"]
    assert error == {"error": f"{prefix}: another installation is at work there; wait for it"}
    assert [path.name for path in prefix.iterdir()] == [".lock"]
