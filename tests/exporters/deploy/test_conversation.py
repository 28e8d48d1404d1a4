"""Hosts are spoken to in parallel, in their order, and never for longer than they may take; no ssh is needed for it."""

from __future__ import annotations

import threading
import time

import pytest
from mnist_edge_exporters.deploy.access import Access
from mnist_edge_exporters.deploy.conversation import Conversation, hold
from mnist_edge_exporters.deploy.hosts import Host
from mnist_edge_runtime import InputError, UsageError


class _Told(Conversation[tuple[str, str | None]]):
    """One that waits for the others, for its end, or fails, as its name says."""

    barrier = threading.Barrier(2)

    def converse(self) -> str | None:
        if self.host.name == "fails":
            raise InputError("no such thing")
        if self.host.name == "waits":
            assert self.is_stopped.wait(30)
            assert self.open() is None
            return self.reason
        self.barrier.wait(30)
        return None

    def outcome(self, reason: str | None, seconds: float) -> tuple[str, str | None]:
        assert 0 <= seconds < 30
        return self.host.name, reason


def _all(*names: str, timeout: float = 60) -> list[_Told]:
    return [_Told(Host(name, name), Access(timeout=timeout), {}) for name in names]


def test_one_that_fails_or_takes_too_long_stops_no_other() -> None:
    found = hold(_all("meets", "fails", "waits", "meets", timeout=0.5), 4)
    assert found == [("meets", None), ("fails", "no such thing"), ("waits", "not done after 0.5 s"), ("meets", None)]


def test_an_error_of_ours_stops_all(monkeypatch: pytest.MonkeyPatch) -> None:
    every = _all("waits", "waits", "waits")

    def fail(reason: str | None, seconds: float) -> tuple[str, str | None]:
        raise KeyboardInterrupt

    monkeypatch.setattr(every[0], "converse", lambda: None)
    monkeypatch.setattr(every[0], "outcome", fail)
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        hold(every, 2)
    assert time.monotonic() - started < 20
    assert [each.reason for each in every] == ["stopped"] * 3


@pytest.mark.parametrize("parallel", [0, 65])
def test_how_many_at_the_same_time(parallel: int) -> None:
    with pytest.raises(UsageError, match=f"--parallel is {parallel}, expected 1 to 64"):
        hold(_all("fails"), parallel)


def test_without_ssh_it_says_which_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(InputError, match="there is no ssh on this machine; install the package openssh-client"):
        hold(_all("fails"), 1)
