"""Describe a deployment: its bundle, and the outcome on each host."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from mnist_edge_runtime.model_file.signature import allowed_signers, verify

from ..bundle import archive
from ..bundle.archive import check_bundle
from ..bundle.manifest import BundleManifest
from .access import Access

__all__ = ["NOTHING", "UNKNOWN", "HostOutcome", "Plan", "table"]

NOTHING = "nothing"
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Plan:
    """A verified bundle, and how it is deployed.

    Attributes:
        bundle: its path.
        data: its bytes.
        identity: the name of its version, as the installer gives it.
        manifest: of the bundle.
        access: how the hosts are reached.
        dry_run: check only.
    """

    bundle: Path
    data: bytes
    identity: str
    manifest: BundleManifest
    access: Access
    dry_run: bool

    @classmethod
    def of(cls, bundle: Path, access: Access, *, dry_run: bool, signers: Path | None = None) -> Plan:
        """Verify and read the bundle; its signature, too, where there is a list of signers, here the user's by default.

        Raises:
            InputError: it cannot be read.
            ModelError: it is damaged, unsigned, of an unknown signer, or not a bundle.
        """
        manifest = check_bundle(bundle)
        data = bundle.read_bytes()
        if found := allowed_signers(signers):
            verify(data, bundle, found)
        with tarfile.open(fileobj=io.BytesIO(data)) as members:
            sums = members.extractfile(f"{archive.FOLDER}/{archive.SUMS}")
            assert sums  # check_bundle has read it
            identity = hashlib.sha256(sums.read()).hexdigest()[:12]
        return cls(bundle, data, identity, manifest, access, dry_run)

    def order(self) -> dict[str, Any]:
        """Return the order that is sent to the host."""
        size = len(self.data)
        return {
            "prefix": self.access.prefix,
            "identity": self.identity,
            "folder": archive.FOLDER,
            "manifest": {**asdict(self.manifest), "packages": None},
            "size": size,
            "sha256": hashlib.sha256(self.data).hexdigest(),
            # bytes: unpacked it is as large again, since wheels do not shrink; the packed file is removed before they
            # are installed.
            "needed": size + max(size, self.manifest.installed_bytes),
        }


@dataclass(frozen=True)
class HostOutcome:
    """The outcome of a deployment on one host.

    Attributes:
        host: as it was named.
        before: the version that was in use there; NOTHING, or UNKNOWN where the host could not be asked.
        now: the one in use after it, in the same way.
        seconds: duration.
        state: how it ended; "would be installed" in a dry run, "not begun" after a batch with a failure.
        reason: why it failed, in a sentence; None where it did not.
    """

    host: str
    before: str
    now: str
    seconds: float
    state: Literal["installed", "already installed", "would be installed", "failed", "not begun"]
    reason: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the host's entry in the output of `deploy --json`."""
        return {**asdict(self), "seconds": round(self.seconds, 1)}


def table(outcomes: Sequence[HostOutcome]) -> str:
    """Return a header and one line for each host."""
    width = max(len("host"), *(len(each.host) for each in outcomes))
    lines = [f"{'host':<{width}}  {'before':<12}  {'now':<12}  {'seconds':>7}  state"]
    for each in outcomes:
        state = "FAILED" if each.reason else each.state
        lines.append(f"{each.host:<{width}}  {each.before:<12}  {each.now:<12}  {each.seconds:>7.1f}  {state}")
    return "\n".join(lines)
