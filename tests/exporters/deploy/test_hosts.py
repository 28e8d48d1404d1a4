"""Hosts come from the command line and from a file, each once and none that ssh would take for an option."""

from __future__ import annotations

from pathlib import Path

import pytest
from mnist_edge_exporters.deploy.hosts import Host, from_names, read_names
from mnist_edge_runtime import InputError, UsageError


def test_named_ones_come_first_then_those_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "hosts"
    file.write_text("# ours\n\npi@attic   # the oldest\n  ssh://garden:2222\n")
    names = read_names(["cellar"], file)
    assert names == ["cellar", "pi@attic", "ssh://garden:2222"]
    assert from_names(names)[1] == Host("pi@attic", "pi@attic")


@pytest.mark.parametrize("host", ["-oProxyCommand=touch x", "", "a b", "a\tb", "a\nb"])
def test_what_is_no_host_is_refused(host: str) -> None:
    with pytest.raises(UsageError, match="is not a host; name it as ssh takes it"):
        read_names([host], None)


def test_each_only_once(tmp_path: Path) -> None:
    file = tmp_path / "hosts"
    file.write_text("attic\n")
    with pytest.raises(UsageError, match="attic is named twice"):
        read_names(["attic"], file)
    with pytest.raises(UsageError, match="no host"):
        from_names(read_names([], None))


def test_a_file_that_is_no_list_of_hosts(tmp_path: Path) -> None:
    file = tmp_path / "hosts"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not a text file"):
        read_names([], file)


def test_a_person_gets_the_command_that_logs_in() -> None:
    host = Host("attic", "pi@10.0.0.5", ("-p", "2222", "-i", "my key"))
    assert host.by_hand() == "ssh -p 2222 -i 'my key' pi@10.0.0.5"
    assert host.by_hand("ssh-copy-id") == "ssh-copy-id -p 2222 -i 'my key' pi@10.0.0.5"
