"""The role of examples/fleet, run by Ansible on the ssh servers: all well, and what stops it half-way."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mnist_edge_exporters.deploy.access import Access
from mnist_edge_exporters.deploy.hosts import from_names
from mnist_edge_exporters.deploy.plan import Plan
from mnist_edge_exporters.deploy.rollout import deploy

from .conftest import Device

FLEET = Path(__file__).resolve().parents[3] / "examples" / "fleet"
# The servers have no sftp.
CONFIG = """\
[defaults]
forks = 3
home = {folder}/ansible
nocolor = true
[connection]
pipelining = true
[ssh_connection]
ssh_args = -F {ssh} -o ControlMaster=auto -o ControlPersist=5
control_path_dir = {sockets}
transfer_method = piped
"""
Pack = Callable[..., Path]
Play = Callable[..., dict[str, dict[str, int]]]


@pytest.fixture
def said() -> list[str]:
    """Return what the last playbook printed, in one piece."""
    return []


@pytest.fixture
def play(devices: list[Device], tmp_path: Path, said: list[str]) -> Iterator[Play]:
    """Return what runs a playbook on the three devices, and returns the counts of each host that had its turn."""
    pytest.importorskip("ansible", reason="ansible-core is not installed")
    hosts = "".join(f"    {each.name}:\n" for each in devices)
    python = devices[0].folder / "bin" / "python3"
    inventory = tmp_path / "hosts.yml"
    inventory.write_text(f"readers:\n  vars: {{ansible_python_interpreter: {python}}}\n  hosts:\n{hosts}")
    config = tmp_path / "ansible.cfg"
    sockets = tempfile.mkdtemp(prefix="mux")  # of a short name, as sockets need it
    config.write_text(CONFIG.format(folder=tmp_path, ssh=devices[0].config, sockets=sockets))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    environment |= {"ANSIBLE_CONFIG": str(config), "HOME": str(tmp_path / "person"), "LC_ALL": "C.UTF-8"}

    def play(name: str, bundle: Path, *options: str, code: int = 0) -> dict[str, dict[str, int]]:
        program = Path(sys.executable).with_name("ansible-playbook")
        words = [program, "-i", inventory, FLEET / name, "-e", f"mnist_edge_bundle={bundle}", *options]
        done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        said[:] = [" ".join((done.stdout + done.stderr).split())]
        rows = re.findall(r"^(\w+) +: (ok=.*)$", done.stdout, re.MULTILINE)
        return {host: {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", row)} for host, row in rows}

    yield play
    shutil.rmtree(sockets)


def _trees(devices: list[Device]) -> list[dict[str, object]]:
    """Return all that is on the devices, but for the empty folders of Ansible's own."""
    return [
        {name: found for name, found in each.tree().items() if Path(name).parts[0] != ".ansible"} for each in devices
    ]


def _installed(bundle: Path, devices: list[Device]) -> str | None:
    """Install a bundle on all devices without Ansible, and return its version."""
    plan = Plan.of(bundle, Access(ssh_config=devices[0].config), dry_run=False)
    deploy(plan, from_names([each.name for each in devices]), 3, None, {})
    return devices[0].in_use()


@pytest.mark.long
def test_a_fleet_is_looked_at_installed_and_left_alone(
    small: Pack, devices: list[Device], play: Play, said: list[str]
) -> None:
    bundle, two = small(), devices[:2]
    counts = play("install.yml", bundle, "--limit", "attic", "--check")
    assert counts["attic"]["changed"] == 1
    assert "; in use: nothing" in said[0]
    assert _trees(two) == [{}, {}]
    counts = play("install.yml", bundle, "--limit", "attic,garden")
    assert said[0].count("PLAY [Install a bundle, batch by batch]") == 2  # one first, then the rest
    assert [counts[each.name]["changed"] for each in two] == [1, 1]
    before = _trees(two)
    assert {name.split("/")[0] for tree in before for name in tree} == {".local"}
    assert None is not devices[0].in_use() == devices[1].in_use()
    counts = play("install.yml", bundle, "--limit", "attic")
    assert (counts["attic"]["changed"], counts["attic"]["failed"]) == (0, 0)
    assert _trees(two) == before


@pytest.mark.long
def test_a_failure_stops_the_next_batch_and_a_rollback_goes_back(
    small: Pack, devices: list[Device], play: Play, said: list[str]
) -> None:
    """On the second of three devices the person's own check fails: it goes back, the first stays, the third waits."""
    attic, garden, cellar = devices
    first, newest = _installed(small(), devices), small(variant="newest")
    (garden.home / "dark").touch()
    before = _trees(devices)
    check = ["-e", '{"mnist_edge_check": ["test", "!", "-e", "~/dark"]}']
    counts = play("install.yml", newest, "-e", "batch=2", *check, code=2)
    assert (counts["attic"]["failed"], counts["garden"]["failed"], "cellar" in counts) == (0, 1, False)
    assert f"non-zero return code; in use: {first}" in said[0]
    assert attic.in_use() not in (None, first)
    assert (garden.in_use(), cellar.in_use()) == (first, first)
    assert _trees([cellar]) == before[2:]
    assert not [each for device in devices for each in device.home.glob(".mnist-edge-*")]
    counts = play("rollback.yml", newest, "-e", "batch=3")
    assert [counts[each.name]["changed"] for each in devices] == [1, 0, 0]
    assert {each.in_use() for each in devices} == {first}


@pytest.mark.long
def test_a_failed_check_fails_again_and_a_replaced_model_is_put_right(
    small: Pack, devices: list[Device], play: Play, said: list[str]
) -> None:
    bundle, attic = small(), devices[0]
    check = ["-e", '{"mnist_edge_check": ["false"]}', "--limit", "attic"]
    play("install.yml", bundle, *check, code=2)
    assert play("install.yml", bundle, *check, code=2)["attic"]["failed"] == 1
    model = next(attic.home.glob(".local/share/mnist-edge/current/model/*.tflite"))
    right = model.read_bytes()
    model.write_bytes(b"another")
    assert play("install.yml", bundle, "--limit", "attic")["attic"]["changed"] == 1
    assert next(attic.home.glob(".local/share/mnist-edge/current/model/*.tflite")).read_bytes() == right


@pytest.mark.long
def test_a_self_test_that_fails_leaves_a_host_as_it_was(
    small: Pack, devices: list[Device], play: Play, said: list[str]
) -> None:
    counts = play("install.yml", small("bad"), "--limit", "attic", code=2)
    assert counts["attic"]["failed"] == 1
    assert "the self-test failed, so nothing was changed: failed: class 3 instead of 8; in use: nothing" in said[0]
    assert _trees(devices) == [{}, {}, {}]


@pytest.mark.long
def test_what_is_refused_before_anything_is_copied(
    small: Pack, devices: list[Device], play: Play, said: list[str], tmp_path: Path
) -> None:
    play("install.yml", small(python="3.2"), "--limit", "attic", "--check", code=2)
    assert "the bundle is for this-machine, Python 3.2 " in said[0]
    assert "make one for this system with: mnist-edge bundle --target" in said[0]
    play("install.yml", tmp_path / "none.tar.gz", "--limit", "attic", code=2)
    assert f"{tmp_path}/none.tar.gz: no such file on this machine; make it with: mnist-edge bundle" in said[0]
    assert _trees(devices) == [{}, {}, {}]


@pytest.mark.long
def test_where_the_bundle_cannot_be_copied_its_batch_stays_as_it_was(
    small: Pack, devices: list[Device], play: Play, said: list[str]
) -> None:
    devices[1].log_in("ulimit -f 400")
    counts = play("install.yml", small(), "-e", "batch=2", code=2)
    assert (counts["attic"]["changed"], counts["garden"]["failed"], "cellar" in counts) == (0, 1, False)
    assert "Run its installer" not in said[0]
    assert _trees(devices) == [{}, {}, {}]
