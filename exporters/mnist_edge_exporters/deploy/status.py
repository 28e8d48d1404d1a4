"""Ask many hosts which version they run, and let each prove itself again; nothing is changed there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .access import Access
from .conversation import Conversation, hold
from .hosts import Host
from .plan import UNKNOWN

__all__ = ["HostStatus", "ask", "table"]

_SHORT = 12  # digits of a SHA-256, in the table


@dataclass(frozen=True)
class HostStatus:
    """What one host runs, and whether it proves itself.

    Attributes:
        host: as it was named.
        version: the name of the version in use; None where there is none, or the host did not say.
        model: the file name of its model; None in the same cases.
        model_sha256: of the file that lies there.
        engine: the engine that runs it.
        runtime: the version of mnist-edge-runtime.
        seconds: duration.
        passed: whether the self-test passed, just now.
        reason: why it did not, or why the host did not say, in a sentence; None where it passed.
    """

    host: str
    version: str | None
    model: str | None
    model_sha256: str | None
    engine: str | None
    runtime: str | None
    seconds: float
    passed: bool
    reason: str | None

    def to_dict(self) -> dict[str, Any]:
        """Return the host's entry in the output of `deploy --status --json`."""
        return {**asdict(self), "seconds": round(self.seconds, 1)}


def ask(hosts: Sequence[Host], access: Access, parallel: int) -> list[HostStatus]:
    """Ask all hosts, `parallel` of them at a time, and return what they said in their order.

    Raises:
        UsageError: `parallel` is out of range.
        InputError: there is no OpenSSH on this machine.
    """
    return hold([_Inquiry(host, access, {"prefix": access.prefix, "status": True}) for host in hosts], parallel)


class _Inquiry(Conversation[HostStatus]):
    """The question to one host."""

    def outcome(self, reason: str | None, seconds: float) -> HostStatus:
        """Return what the host said, and report it on stderr."""
        self.tell(f"FAILED: {reason}" if reason else f"self-test {self.found['done']}, {seconds:.1f} s")
        return HostStatus(
            host=self.host.name,
            version=self._said("now"),
            model=self._said("model"),
            model_sha256=self._said("model_sha256"),
            engine=self._said("engine"),
            runtime=self._said("runtime"),
            seconds=seconds,
            passed=reason is None,
            reason=reason,
        )

    def _said(self, key: str) -> str | None:
        return str(self.found[key]) if self.found.get(key) else None


def table(found: Sequence[HostStatus]) -> str:
    """Return a header and one line for each host."""
    rows: list[tuple[str, ...]] = [("host", "version", "model", "sha-256", "engine", "runtime", "seconds", "self-test")]
    for each in found:
        digest = each.model_sha256 and each.model_sha256[:_SHORT]
        said = [text or UNKNOWN for text in (each.version, each.model, digest, each.engine, each.runtime)]
        rows.append((each.host, *said, f"{each.seconds:.1f}", "passed" if each.passed else "FAILED"))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)
