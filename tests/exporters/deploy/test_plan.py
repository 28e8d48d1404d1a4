"""A deployment is checked before any host is connected to: its bundle, its options and its hosts."""

from __future__ import annotations

import hashlib
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mnist_edge_exporters.deploy.plan import HostOutcome, Plan, read_hosts, table
from mnist_edge_runtime import InputError, ModelError, UsageError


def _plan(bundle: Path, **options: Any) -> Plan:
    return Plan.of(bundle, **{"prefix": None, "dry_run": False, "timeout": 60, **options})


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


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"timeout": 0}, "--timeout is 0, expected seconds above 0"),
        ({"timeout": float("nan")}, "--timeout is nan, expected seconds above 0"),
        ({"prefix": " "}, "--prefix names no folder"),
    ],
)
def test_options_out_of_range(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=message):
        _plan(tmp_path / "none.tar.gz", **options)


def test_a_configuration_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--ssh-config nowhere: no such file"):
        _plan(tmp_path / "none.tar.gz", ssh_config=Path("nowhere"))


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


def test_named_ones_come_first_then_those_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "hosts"
    file.write_text("# ours\n\npi@attic   # the oldest\n  ssh://garden:2222\n")
    assert read_hosts(["cellar"], file) == ["cellar", "pi@attic", "ssh://garden:2222"]


@pytest.mark.parametrize("host", ["-oProxyCommand=touch x", "", "a b", "a\tb", "a\nb"])
def test_what_is_no_host_is_refused(host: str) -> None:
    with pytest.raises(UsageError, match="is not a host; name it as ssh takes it"):
        read_hosts([host], None)


def test_each_only_once(tmp_path: Path) -> None:
    file = tmp_path / "hosts"
    file.write_text("attic\n")
    with pytest.raises(UsageError, match="attic is named twice"):
        read_hosts(["attic"], file)
    with pytest.raises(UsageError, match="no host"):
        read_hosts([], None)


def test_a_file_that_is_no_list_of_hosts(tmp_path: Path) -> None:
    file = tmp_path / "hosts"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not a text file"):
        read_hosts([], file)
