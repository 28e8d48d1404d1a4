"""Describe a deployment: its bundle, its hosts, and the outcome on each of them."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from mnist_edge_runtime import InputError, UsageError

from ..bundle import archive
from ..bundle.archive import check_bundle
from ..bundle.manifest import BundleManifest

__all__ = ["NOTHING", "UNKNOWN", "HostOutcome", "Plan", "read_hosts", "table"]

NOTHING = "nothing"
UNKNOWN = "unknown"
_LONGEST = 86_400  # seconds


def read_hosts(named: Sequence[str], file: Path | None) -> list[str]:
    """Return the named hosts, then those of the file: one a line, nothing behind a #.

    Raises:
        UsageError: there is none, one is there twice, or is none that ssh could take.
        InputError: the file cannot be read.
    """
    hosts = [*named, *(_lines(file) if file else ())]
    if not hosts:
        raise UsageError("no host; name them as ssh takes them, or in a file with --hosts")
    for host in hosts:
        if not host or host.startswith("-") or not host.isprintable() or " " in host:
            raise UsageError(f"{host!a} is not a host; name it as ssh takes it: pi@raspberrypi.local")
        if hosts.count(host) > 1:
            raise UsageError(f"{host} is named twice; once is enough")
    return hosts


def _lines(file: Path) -> list[str]:
    try:
        lines = file.read_text().splitlines()
    except UnicodeDecodeError:
        raise InputError(f"{file}: not a text file; expected one host a line") from None
    return [host for line in lines if (host := line.partition("#")[0].strip())]


@dataclass(frozen=True)
class Plan:
    """A verified bundle, and how it is deployed.

    Attributes:
        bundle: its path.
        data: its bytes.
        identity: the name of its version, as the installer gives it.
        manifest: of the bundle.
        prefix: the folder on each host; None is the installer's default.
        dry_run: check only.
        timeout: seconds that a host may take in all.
        ssh_config: a configuration in place of the user's; None is the user's.
    """

    bundle: Path
    data: bytes
    identity: str
    manifest: BundleManifest
    prefix: str | None = None
    dry_run: bool = False
    timeout: float = 900.0
    ssh_config: Path | None = None

    @classmethod
    def of(
        cls, bundle: Path, *, prefix: str | None, dry_run: bool, timeout: float, ssh_config: Path | None = None
    ) -> Plan:
        """Verify and read the bundle.

        Raises:
            UsageError: an option is out of range.
            InputError: the bundle or the configuration cannot be read.
            ModelError: it is damaged, or not a bundle.
        """
        if not 0 < timeout <= _LONGEST:
            raise UsageError(f"--timeout is {timeout:g}, expected seconds above 0, at most {_LONGEST:,}")
        if prefix is not None and (not prefix.strip() or "\0" in prefix):
            raise UsageError("--prefix names no folder; leave it out for the default")
        if ssh_config and not ssh_config.is_file():
            raise InputError(f"--ssh-config {ssh_config}: no such file")
        manifest = check_bundle(bundle)
        data = bundle.read_bytes()
        with tarfile.open(fileobj=io.BytesIO(data)) as members:
            sums = members.extractfile(f"{archive.FOLDER}/{archive.SUMS}")
            assert sums  # check_bundle has read it
            identity = hashlib.sha256(sums.read()).hexdigest()[:12]
        return cls(bundle, data, identity, manifest, prefix, dry_run, timeout, ssh_config)

    def order(self) -> dict[str, Any]:
        """Return the order that is sent to the host."""
        size = len(self.data)
        return {
            "prefix": self.prefix,
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
        state: how it ended; "would be installed" in a dry run.
        reason: why it failed, in a sentence; None where it did not.
    """

    host: str
    before: str
    now: str
    seconds: float
    state: Literal["installed", "already installed", "would be installed", "failed"]
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
