"""Deploy a bundle to many hosts, all together or batch by batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mnist_edge_runtime import UsageError
from mnist_edge_runtime.command_line import tell

from .conversation import Conversation, hold
from .hosts import Host
from .plan import NOTHING, UNKNOWN, HostOutcome, Plan
from .ssh import Channel

__all__ = ["deploy"]

_CHUNK = 1 << 16  # bytes
_INQUIRIES = 20  # a second apart, while a host that was lost still rolls back


def deploy(
    plan: Plan, hosts: Sequence[Host], parallel: int, batch: int | None, outcomes: dict[str, HostOutcome]
) -> None:
    """Deploy to all hosts, `parallel` of them at a time.

    One that fails stops no other of its batch, and after a batch with a failure no other begins. If this is
    interrupted, by Ctrl-C or an error, every host that has not finished rolls back before this returns.

    Args:
        plan: what is deployed, and how.
        hosts: at least one.
        parallel: number of hosts at the same time.
        batch: number of hosts in a batch; None is all of them.
        outcomes: gets the outcome on each host, by its name and in the order of the hosts.

    Raises:
        UsageError: `parallel` or `batch` is out of range.
        InputError: there is no OpenSSH on this machine.
    """
    if batch is not None and batch < 1:
        raise UsageError(f"--batch is {batch}, expected 1 or more")
    size = batch or len(hosts)
    outcomes |= {host.name: HostOutcome(host.name, UNKNOWN, UNKNOWN, 0.0, "not begun") for host in hosts}
    for start in range(0, len(hosts), size):
        part = hosts[start : start + size]
        if any(each.reason for each in outcomes.values()):
            return
        if batch:
            tell(f"batch {start // size + 1} of {-(-len(hosts) // size)}: {', '.join(host.name for host in part)}")
        hold([_Deployment(plan, host, outcomes) for host in part], parallel)


class _Deployment(Conversation[HostOutcome]):
    """The deployment to one host."""

    def __init__(self, plan: Plan, host: Host, outcomes: dict[str, HostOutcome]) -> None:
        super().__init__(host, plan.access, plan.order())
        self._plan = plan
        self._outcomes = outcomes

    def outcome(self, reason: str | None, seconds: float) -> HostOutcome:
        """Keep and return the outcome, and report it on stderr."""
        done = None if reason else self.found.get("done", "would be installed")
        before, now = (_version(self.found, key) for key in ("before", "now"))
        self.tell(f"FAILED: {reason}; in use now: {now}" if reason else f"{done}, {seconds:.1f} s")
        outcome = HostOutcome(self.host.name, before, now, seconds, done or "failed", reason)
        self._outcomes[self.host.name] = outcome
        return outcome

    def goes_on(self, answer: Mapping[str, Any], channel: Channel) -> bool:
        """Report an answer, and send the bundle to a host that is ready for it."""
        if "about" in answer:
            self.tell(f"{answer['about']}, in use: {_version(self.found, 'before')}")
        if answer.get("event") == "ready":
            if self._plan.dry_run:
                return False
            self._copy(channel)
        elif "event" in answer:
            self.tell(answer["event"])
        return True

    def lost(self, reason: str) -> str | None:
        """Return this reason, unless the host, asked again, says that it was done."""
        return self._inquire(reason) if self.is_changing else reason

    def _copy(self, channel: Channel) -> None:
        data = memoryview(self._plan.data)
        self.tell(f"copying {len(data) / 1e6:.1f} MB")
        self.is_changing = True
        for start in range(0, len(data), _CHUNK):
            channel.send(data[start : start + _CHUNK])

    def _inquire(self, reason: str) -> str | None:
        """Ask a host that was lost which version is in use there, once it has finished its rollback."""
        self.tell(f"{reason}; asking which version is in use")
        before = self.found["before"]
        self.found = {"before": before}
        self.is_changing = False
        for _ in range(_INQUIRIES):
            found = self._first_answer()
            if "now" not in found:
                return f"{reason}, and it cannot be asked for its version; ask later, with --dry-run"
            if not found["busy"]:
                break
            self.is_stopped.wait(1)
        else:
            return f"{reason}, and it is still at work; ask later, with --dry-run"
        self.found["now"] = found["now"]
        if found["now"] == self._plan.identity != before:
            self.found["done"] = "installed"
            return None
        return reason

    def _first_answer(self) -> dict[str, Any]:
        """Return the host's first answer, an empty one if there is none."""
        channel = self.open()
        if channel is None:
            return {}
        try:
            return next(channel.answers(), {})
        finally:
            channel.close()


def _version(found: Mapping[str, Any], key: str) -> str:
    return (found[key] or NOTHING) if key in found else UNKNOWN
