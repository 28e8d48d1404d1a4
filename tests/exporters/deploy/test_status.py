"""Hosts say what they run and prove themselves again; the ones that do not are named, and nothing is changed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import pytest
from mnist_edge_exporters.deploy.access import Access
from mnist_edge_exporters.deploy.hosts import from_names
from mnist_edge_exporters.deploy.plan import HostOutcome, Plan
from mnist_edge_exporters.deploy.rollout import deploy
from mnist_edge_exporters.deploy.status import HostStatus, ask, table

from .conftest import Device

ANOTHER = "its model is not the one of its bundle: the SHA-256 is another"
MODEL = hashlib.sha256(b"a model").hexdigest()


def _ask(devices: list[Device]) -> list[HostStatus]:
    return ask(from_names([each.name for each in devices]), Access(ssh_config=devices[0].config), 3)


@pytest.mark.long
def test_every_host_says_what_it_runs_and_proves_itself(
    small: Callable[..., object], devices: list[Device], capsys: pytest.CaptureFixture[str]
) -> None:
    attic, garden, cellar = devices
    plan = Plan.of(small(), Access(ssh_config=attic.config), dry_run=False)  # type: ignore[arg-type]
    deploy(plan, from_names([attic.name, garden.name]), 2, None, {})
    file = garden.prefix / "current" / "model" / "digits.tflite"
    file.write_bytes(b"another")  # whose self-test would pass
    before = [each.tree() for each in devices]
    capsys.readouterr()
    proven, other, empty = _ask(devices)
    said = capsys.readouterr().err
    assert (proven.version, proven.model, proven.model_sha256) == (attic.in_use(), "digits.tflite", MODEL)
    assert (proven.engine, proven.runtime, proven.passed, proven.reason) == ("none", "0.1.0", True, None)
    assert "attic: self-test passed: as it promises, " in said
    assert (other.version, other.model_sha256, other.passed) == (attic.in_use(), _sha256(b"another"), False)
    assert other.reason == f"its self-test fails: {ANOTHER}; deploy its bundle to it again"
    assert (empty.version, empty.model, empty.passed) == (None, None, False)
    assert f"cellar: FAILED: {cellar.prefix}: nothing is installed there; deploy a bundle to it\n" in said
    assert [each.tree() for each in devices] == before
    outcomes: dict[str, HostOutcome] = {}
    deploy(plan, from_names([garden.name]), 1, None, outcomes)
    assert outcomes[garden.name].state == "installed"
    (garden.prefix / "current" / "bundle.json").write_text("{}")
    cellar.configure("ProxyCommand false")
    _, broken, gone = _ask(devices)
    assert broken.reason == "its model or bundle.json cannot be read: 'model'; deploy its bundle to it again"
    assert gone.reason.endswith(f"; try by hand: ssh -F {cellar.config} cellar")  # type: ignore[union-attr]
    assert (gone.version, gone.passed) == (None, False)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_the_table_has_a_line_a_host() -> None:
    found = [
        HostStatus("pi@attic", "0123456789ab", "base.tflite", "ab" * 32, "litert", "0.1.0", 1.26, True, None),
        HostStatus("garden", None, None, None, None, None, 30.0, False, "it is gone"),
    ]
    assert table(found).splitlines() == [
        "host      version       model        sha-256       engine   runtime  seconds  self-test",
        "pi@attic  0123456789ab  base.tflite  abababababab  litert   0.1.0    1.3      passed",
        "garden    unknown       unknown      unknown       unknown  unknown  30.0     FAILED",
    ]
    assert found[1].to_dict()["reason"] == "it is gone"
    assert found[0].to_dict()["model_sha256"] == "ab" * 32
