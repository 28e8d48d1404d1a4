"""Talk to one host within a time limit, and to many hosts in parallel; one that fails stops no other."""

from __future__ import annotations

import shutil
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, TypeVar

from mnist_edge_runtime import InputError, UsageError
from mnist_edge_runtime.command_line import tell
from mnist_edge_runtime.errors import describe

from .access import Access
from .hosts import Host
from .ssh import Channel

__all__ = ["Conversation", "hold"]

Outcome = TypeVar("Outcome")
_MOST_PARALLEL = 64


class Conversation(ABC, Generic[Outcome]):
    """What is said to one host and what it answers; `found` has the keys of its answers."""

    def __init__(self, host: Host, access: Access, order: Mapping[str, Any]) -> None:
        self.host = host
        self.found: dict[str, Any] = {}
        self._access = access
        self._order = order
        self._lock = threading.Lock()
        self._channel: Channel | None = None
        self.is_changing = False
        self.is_stopped = threading.Event()
        self.reason = ""

    def converse(self) -> str | None:
        """Give the order and read the answers to their end; return why it failed, None if it did not."""
        channel = self.open()
        if channel is None:
            return self.reason
        try:
            for answer in channel.answers():
                self.found |= answer
                if not self.goes_on(answer, channel):
                    return None
            if "done" in self.found:
                return None
            if "error" in self.found:
                return self.reason or str(self.found["error"])
            reason = self.reason or channel.why()
        finally:
            channel.close()
        return self.lost(reason)

    def goes_on(self, answer: Mapping[str, Any], channel: Channel) -> bool:
        """Act on an answer, and return whether another is wanted."""
        return True

    def lost(self, reason: str) -> str | None:
        """Return why it failed, None if it did not, where for this reason the host's last answer did not come."""
        return reason

    @abstractmethod
    def outcome(self, reason: str | None, seconds: float) -> Outcome:
        """Return the outcome, and report it on stderr."""

    def run(self) -> Outcome:
        """Converse within the time limit, and return the outcome."""
        started = time.monotonic()
        self.tell("connecting")
        limit = threading.Timer(self._access.timeout, self.stop, [f"not done after {self._access.timeout:g} s"])
        limit.daemon = True
        limit.start()
        try:
            reason = self.converse()
        except Exception as error:  # of one host: the others go on
            reason = describe(error)[0]
        finally:
            limit.cancel()
        return self.outcome(reason, time.monotonic() - started)

    def stop(self, reason: str) -> None:
        """End the conversation for this reason; a host that is being changed rolls back."""
        with self._lock:
            self.reason = self.reason or reason
            self.is_stopped.set()
            if self._channel:
                # A host that has nothing to roll back is not waited for: it may never answer.
                self._channel.stop(immediately=not self.is_changing)

    def open(self) -> Channel | None:
        """Connect, unless the conversation was stopped."""
        with self._lock:
            if self.is_stopped.is_set():
                return None
            self._channel = Channel(self.host, self._order, self._access.ssh_config)
            return self._channel

    def tell(self, event: str) -> None:
        """Report an event on stderr."""
        tell(f"{self.host.name}: {event}")


def hold(conversations: Sequence[Conversation[Outcome]], parallel: int) -> list[Outcome]:
    """Hold all conversations, `parallel` of them at a time, and return the outcomes in their order.

    If this is interrupted, by Ctrl-C or an error, every host that has not finished rolls back before this returns.

    Raises:
        UsageError: `parallel` is out of range.
        InputError: there is no OpenSSH on this machine.
    """
    if not 1 <= parallel <= _MOST_PARALLEL:
        raise UsageError(f"--parallel is {parallel}, expected 1 to {_MOST_PARALLEL}")
    if not shutil.which("ssh"):
        raise InputError("there is no ssh on this machine; install the package openssh-client")
    with ThreadPoolExecutor(min(parallel, len(conversations))) as pool:
        try:
            return [future.result() for future in [pool.submit(each.run) for each in conversations]]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for each in conversations:
                each.stop("stopped")
            raise
