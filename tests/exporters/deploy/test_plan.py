"""A deployment is checked before any host is connected to: its bundle, and what a host is told of it."""

from __future__ import annotations

import hashlib
import json
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mnist_edge_exporters.deploy.access import Access
from mnist_edge_exporters.deploy.plan import HostOutcome, Plan, table
from mnist_edge_exporters.signing import sign_file
from mnist_edge_runtime import ModelError


def _plan(bundle: Path, **options: Any) -> Plan:
    return Plan.of(bundle, Access(**options), dry_run=False)


def test_a_host_is_told_what_comes(small: Callable[..., Path]) -> None:
    bundle = small(installed_bytes=7)
    order = json.loads(json.dumps(_plan(bundle, prefix="~/reader").order()))
    data = bundle.read_bytes()
    assert (order["prefix"], order["size"], order["sha256"]) == (
        "~/reader",
        len(data),
        hashlib.sha256(data).hexdigest(),
    )
    assert order["needed"] == 2 * len(data)
    assert order["manifest"]["target"] == "this-machine"
    with tarfile.open(bundle) as members:
        sums = members.extractfile("mnist-edge/SHA256SUMS")
        assert sums
        assert order["identity"] == hashlib.sha256(sums.read()).hexdigest()[:12]


def test_a_damaged_bundle_goes_nowhere(small: Callable[..., Path], tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.tar.gz"
    damaged.write_bytes(small().read_bytes()[:-9])
    with pytest.raises(ModelError, match="damaged"):
        _plan(damaged)


def test_the_table_has_a_line_a_host() -> None:
    outcomes = [
        HostOutcome("pi@attic", "nothing", "0123456789ab", 12.34, "installed"),
        HostOutcome("garden", "unknown", "unknown", 0.5, "failed", "it is gone"),
    ]
    assert table(outcomes).splitlines() == [
        "host      before        now           seconds  state",
        "pi@attic  nothing       0123456789ab     12.3  installed",
        "garden    unknown       unknown           0.5  FAILED",
    ]
    assert outcomes[1].to_dict()["reason"] == "it is gone"


def test_a_list_of_signers_asks_for_a_signature_of_the_bundle(small: Callable[..., Path], tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "key"], check=True)
    signers = tmp_path / "signers"
    signers.write_text(f"maker {(tmp_path / 'key.pub').read_text()}")
    bundle = tmp_path / "signed.tar.gz"
    bundle.write_bytes(small().read_bytes())
    with pytest.raises(ModelError, match=r"signed\.tar\.gz: unsigned"):
        Plan.of(bundle, Access(), dry_run=False, signers=signers)
    sign_file(bundle, tmp_path / "key")
    assert Plan.of(bundle, Access(), dry_run=False, signers=signers).data == bundle.read_bytes()
    bundle.write_bytes(small("good", "other").read_bytes())
    with pytest.raises(ModelError, match="is not the signature of these bytes"):
        Plan.of(bundle, Access(), dry_run=False, signers=signers)
