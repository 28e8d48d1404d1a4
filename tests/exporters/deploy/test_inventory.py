"""Hosts of an inventory: as Ansible prints it, and what cannot be followed."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from mnist_edge_exporters.deploy.hosts import Host
from mnist_edge_exporters.deploy.inventory import STDIN, from_inventory
from mnist_edge_runtime import InputError, UsageError

HOSTS = """\
all:
  hosts: {lonely: }
  children:
    pis:
      vars: {ansible_user: pi, ansible_python_interpreter: /usr/bin/python3}
      children:
        upstairs:
          hosts:
            attic: {ansible_host: 10.0.0.5, ansible_port: 2222, ansible_ssh_private_key_file: ~/.ssh/pi}
        downstairs:
          hosts: {cellar: {ansible_host: "fe80::1"}, garden: {ansible_user: root}}
    old:
      hosts: {attic: , desk: {ansible_connection: local}}
"""


def _printed(tmp_path: Path, *options: str) -> str:
    """Return the file that Ansible itself makes of the inventory above."""
    (tmp_path / "hosts.yml").write_text(HOSTS)
    program = Path(sys.executable).with_name("ansible-inventory")
    command = [program, "-i", tmp_path / "hosts.yml", "--list", *options]
    environment = {**os.environ, "HOME": str(tmp_path)}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    (tmp_path / "hosts.json").write_text(result.stdout)
    return str(tmp_path / "hosts.json")


def test_what_ansible_prints_is_read(tmp_path: Path) -> None:
    file = _printed(tmp_path)
    attic = Host("attic", "pi@10.0.0.5", ("-p", "2222", "-i", "~/.ssh/pi"))
    cellar, garden = Host("cellar", "pi@fe80::1"), Host("garden", "root@garden")
    assert from_inventory(file, ["pis"]) == [attic, cellar, garden]
    assert from_inventory(file, ["garden", "upstairs", "pis"]) == [garden, attic, cellar]
    assert from_inventory(file, ["lonely"]) == [Host("lonely", "lonely")]
    with pytest.raises(
        InputError, match=r"shed is neither a host nor a group there; it has the groups all, downstairs"
    ):
        from_inventory(file, ["shed"])
    with pytest.raises(InputError, match=r"desk has ansible_connection local, and deploy connects by ssh alone"):
        from_inventory(file, [])
    every = from_inventory(_printed(tmp_path, "--limit", "all,!desk"), [])
    assert {host.name for host in every} == {"attic", "cellar", "garden", "lonely"}
    with pytest.raises(InputError, match=r"the hosts lack the variables of their group pis; .*, without --export"):
        from_inventory(_printed(tmp_path, "--export"), ["pis"])


def _file(tmp_path: Path, **variables: Any) -> str:
    document = {"_meta": {"hostvars": {"attic": variables}}, "all": {"hosts": ["attic"]}}
    (tmp_path / "hosts.json").write_text(json.dumps(document))
    return str(tmp_path / "hosts.json")


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"ansible_host": "{{ inventory_hostname }}.local"}, "which ansible-inventory leaves to a playbook"),
        ({"ansible_host": {"__ansible_vault": "1"}}, "write down what it stands for"),
        ({"ansible_user": True}, "has ansible_user true"),
        ({"ansible_connection": "docker"}, "attic has ansible_connection docker"),
        ({"ansible_host": "-oProxyCommand=true"}, "'-oProxyCommand=true' of attic is not a host"),
        ({"ansible_user": "-l root", "ansible_host": "b"}, "'-l root@b' of attic is not a host"),
        ({"ansible_port": 0}, "attic has the port '0'; expected a number from 1 to 65535"),
        ({"ansible_port": "ssh"}, "attic has the port 'ssh'"),
        ({"ansible_become": "yes"}, "attic has ansible_become, which deploy does not follow; deploy installs as the"),
        ({"ansible_ssh_pass": "x"}, "deploy gives no password; give it a key"),
        ({"ansible_ssh_common_args": "-J hop"}, r"write it into ~/\.ssh/config"),
        ({"ansible_ssh_executable": "/opt/ssh"}, r"has ansible_ssh_executable, which .*; write it into ~/\.ssh/config"),
        ({"ansible_ssh_pkcs11_provider": "/usr/lib/x.so"}, "has ansible_ssh_pkcs11_provider"),
        ({"ansible_private_key": "-----BEGIN"}, "name its file as ansible_ssh_private_key_file"),
    ],
)
def test_what_cannot_be_followed(variables: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=rf"hosts\.json: .*{message}"):
        from_inventory(_file(tmp_path, **variables), [])


def test_what_says_nothing_is_left_alone(tmp_path: Path) -> None:
    file = _file(tmp_path, ansible_become=False, ansible_host="", ansible_ssh_user="pi", ansible_ssh_common_args="")
    assert from_inventory(file, []) == [Host("attic", "pi@attic")]
    assert from_inventory(_file(tmp_path, ansible_ssh_retries=3, ansible_ssh_pipelining=True), []) == [
        Host("attic", "attic")
    ]


def test_two_names_of_one_host_would_meet_there(tmp_path: Path) -> None:
    places = {"attic": {"ansible_host": "10.0.0.5"}, "loft": {"ansible_host": "10.0.0.5", "ansible_port": 22}}
    document = {"_meta": {"hostvars": places}, "all": {"hosts": [*places]}}
    (tmp_path / "hosts.json").write_text(json.dumps(document))
    assert len(from_inventory(str(tmp_path / "hosts.json"), [])) == 2  # ~/.ssh/config may have another port
    del places["loft"]["ansible_port"]
    (tmp_path / "hosts.json").write_text(json.dumps(document))
    with pytest.raises(InputError, match=r"attic and loft are the same, 10\.0\.0\.5; name one of them"):
        from_inventory(str(tmp_path / "hosts.json"), [])
    assert len(from_inventory(str(tmp_path / "hosts.json"), ["loft"])) == 1


@pytest.mark.parametrize(
    "text",
    [
        "", "attic\n", "[]", "{}", "[" * 100_000, '{"_meta": {"hostvars": {}}}',
        '{"_meta": {"hostvars": []}, "all": {}}', '{"_meta": {"hostvars": {"attic": 1}}, "all": {}}',
        '{"_meta": {"hostvars": {}}, "all": {"hosts": [1]}}', '{"_meta": {"hostvars": {}}, "all": []}',
        "\udcff",
    ],
)  # fmt: skip
def test_what_is_no_inventory(text: str, tmp_path: Path) -> None:
    (tmp_path / "hosts.json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(InputError, match=r"not what ansible-inventory prints as JSON; make it with: ansible-inventory"):
        from_inventory(str(tmp_path / "hosts.json"), [])


def test_groups_in_a_circle_and_without_hosts(tmp_path: Path) -> None:
    groups = {"all": {"children": ["one"]}, "one": {"children": ["all"], "hosts": ["attic"]}, "none": {}}
    (tmp_path / "hosts.json").write_text(json.dumps({"_meta": {"hostvars": {}}, **groups}))
    assert from_inventory(str(tmp_path / "hosts.json"), []) == [Host("attic", "attic")]
    with pytest.raises(InputError, match="there is no host in none; name others"):
        from_inventory(str(tmp_path / "hosts.json"), ["none"])


def test_it_may_come_through_a_pipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = Path(_file(tmp_path, ansible_port="22")).read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert from_inventory(STDIN, []) == [Host("attic", "attic", ("-p", "22"))]
    with pytest.raises(InputError, match="standard input: not what"):
        from_inventory(STDIN, [])
    with pytest.raises(UsageError, match="--inventory names no file"):
        from_inventory(" ", [])
