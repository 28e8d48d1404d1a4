"""Hosts from the command line and from a file: each once, and only what ssh can take for a host."""

from __future__ import annotations

from pathlib import Path

import pytest
from mnist_edge_exporters.deploy.hosts import read_hosts
from mnist_edge_runtime import InputError, UsageError


def test_named_ones_come_first_then_those_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "hosts"
    file.write_text("# ours\n\npi@attic   # the oldest\n  ssh://garden:2222\n")
    assert read_hosts(["cellar"], file) == ["cellar", "pi@attic", "ssh://garden:2222"]


@pytest.mark.parametrize("host", ["-oProxyCommand=touch x", "", "a b", "a\tb", "a\nb"])
def test_what_is_no_host_is_refused(host: str) -> None:
    with pytest.raises(UsageError, match="is no host; name it as ssh takes it"):
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
    with pytest.raises(InputError, match="no text"):
        read_hosts([], file)
