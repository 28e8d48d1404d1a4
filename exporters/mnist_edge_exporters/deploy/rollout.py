"""Deploy a bundle to many hosts in parallel; one that fails stops no other."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from mnist_edge_runtime import InputError, UsageError
from mnist_edge_runtime.command_line import tell
from mnist_edge_runtime.errors import describe

from .plan import NOTHING, UNKNOWN, HostOutcome, Plan
from .ssh import Channel

__all__ = ["deploy"]

_MOST_PARALLEL = 64
_CHUNK = 1 << 16  # bytes
_INQUIRIES = 20  # a second apart, while a host that was lost still rolls back


def deploy(plan: Plan, hosts: Sequence[str], parallel: int) -> list[HostOutcome]:
    """Deploy to all hosts, `parallel` of them at a time, and return the outcomes in their order.

    If this is interrupted, by Ctrl-C or an error, every host rolls back before this returns.

    Raises:
        UsageError: `parallel` is out of range.
        InputError: there is no OpenSSH on this machine.
    """
    if not 1 <= parallel <= _MOST_PARALLEL:
        raise UsageError(f"--parallel is {parallel}, expected 1 to {_MOST_PARALLEL}")
    if not shutil.which("ssh"):
        raise InputError("there is no ssh on this machine; install the package openssh-client")
    deployments = [_Deployment(plan, host) for host in hosts]
    with ThreadPoolExecutor(min(parallel, len(hosts))) as pool:
        try:
            return [future.result() for future in [pool.submit(each.run) for each in deployments]]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for each in deployments:
                each.stop("stopped")
            raise


class _Deployment:
    """The deployment to one host."""

    def __init__(self, plan: Plan, host: str) -> None:
        self._plan = plan
        self._host = host
        self._lock = threading.Lock()
        self._channel: Channel | None = None
        self._is_changing = False
        self._is_stopped = threading.Event()
        self._reason = ""
        self._found: dict[str, Any] = {}

    def run(self) -> HostOutcome:
        """Deploy, report each step on stderr, and return the outcome."""
        started = time.monotonic()
        self._tell("connecting")
        limit = threading.Timer(self._plan.timeout, self.stop, [f"not done after {self._plan.timeout:g} s"])
        limit.daemon = True
        limit.start()
        try:
            reason = self._converse()
        except Exception as error:  # of one host: the others go on
            reason = describe(error)[0]
        finally:
            limit.cancel()
        done = None if reason else self._found.get("done", "would be installed")
        before, now = (_version(self._found, key) for key in ("before", "now"))
        outcome = HostOutcome(self._host, before, now, time.monotonic() - started, done or "failed", reason)
        self._tell(f"FAILED: {reason}; in use now: {now}" if reason else f"{done}, {outcome.seconds:.1f} s")
        return outcome

    def stop(self, reason: str) -> None:
        """End the deployment for this reason; the host rolls back."""
        with self._lock:
            self._reason = self._reason or reason
            self._is_stopped.set()
            if self._channel:
                # A host that has nothing to roll back is not waited for: it may never answer.
                self._channel.stop(immediately=not self._is_changing)

    def _open(self) -> Channel | None:
        """Connect, unless the deployment was stopped."""
        with self._lock:
            if self._is_stopped.is_set():
                return None
            self._channel = Channel(self._host, self._plan.order(), self._plan.ssh_config)
            return self._channel

    def _converse(self) -> str | None:
        """Send the bundle and read the host's answers to their end; return why it failed, None if it did not."""
        channel = self._open()
        if channel is None:
            return self._reason
        try:
            for answer in channel.answers():
                self._found |= answer
                if "about" in answer:
                    self._tell(f"{answer['about']}, in use: {_version(self._found, 'before')}")
                if answer.get("event") == "ready":
                    if self._plan.dry_run:
                        return None
                    self._copy(channel)
                elif "event" in answer:
                    self._tell(answer["event"])
            if "done" in self._found:
                return None
            if "error" in self._found:
                return self._reason or str(self._found["error"])
            reason = self._reason or channel.why()
        finally:
            channel.close()
        return self._inquire(reason) if self._is_changing else reason

    def _copy(self, channel: Channel) -> None:
        data = memoryview(self._plan.data)
        self._tell(f"copying {len(data) / 1e6:.1f} MB")
        self._is_changing = True
        for start in range(0, len(data), _CHUNK):
            channel.send(data[start : start + _CHUNK])

    def _inquire(self, reason: str) -> str | None:
        """Ask a host that was lost which version is in use there, once it has finished its rollback."""
        self._tell(f"{reason}; asking which version is in use")
        before = self._found["before"]
        self._found = {"before": before}
        self._is_changing = False
        for _ in range(_INQUIRIES):
            found = self._first_answer()
            if "now" not in found:
                return f"{reason}, and it cannot be asked for its version; ask later, with --dry-run"
            if not found["busy"]:
                break
            self._is_stopped.wait(1)
        else:
            return f"{reason}, and it is still at work; ask later, with --dry-run"
        self._found["now"] = found["now"]
        if found["now"] == self._plan.identity != before:
            self._found["done"] = "installed"
            return None
        return reason

    def _first_answer(self) -> dict[str, Any]:
        """Return the host's first answer, an empty one if there is none."""
        channel = self._open()
        if channel is None:
            return {}
        try:
            return next(channel.answers(), {})
        finally:
            channel.close()

    def _tell(self, event: str) -> None:
        tell(f"{self._host}: {event}")


def _version(found: dict[str, Any], key: str) -> str:
    return (found[key] or NOTHING) if key in found else UNKNOWN
