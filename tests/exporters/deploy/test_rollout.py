"""Deployments over real OpenSSH servers: all well, and everything that goes wrong half-way."""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from mnist_edge_exporters.deploy.access import Access
from mnist_edge_exporters.deploy.hosts import from_names
from mnist_edge_exporters.deploy.plan import HostOutcome, Plan
from mnist_edge_exporters.deploy.rollout import deploy
from mnist_edge_runtime import __version__

from .conftest import Device, make_devices

Pack = Callable[..., Path]


def _deploy(
    bundle: Path, devices: list[Device], *, dry_run: bool = False, timeout: float = 60, prefix: str | None = None
) -> list[HostOutcome]:
    plan = Plan.of(bundle, Access(prefix, timeout, devices[0].config), dry_run=dry_run)
    outcomes: dict[str, HostOutcome] = {}
    deploy(plan, from_names([each.name for each in devices]), 3, None, outcomes)
    return [*outcomes.values()]


def _wait_until(is_so: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture(scope="module")
def used(servers: tuple[Path, Mapping[str, int]], small: Pack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the home of a device onto which three bundles were deployed, one after the other: it keeps two."""
    (device, *_) = make_devices(servers, tmp_path_factory.mktemp("used"))
    for variant in ("first", "second", "third"):
        assert _deploy(small(variant=variant), [device])[0].state == "installed"
    assert len(list(device.prefix.glob("versions/*"))) == 2
    return device.home


def _installed(used: Path, device: Device) -> dict[str, object]:
    """Put what is in that home into the device's, and return it."""
    device.home.rmdir()
    shutil.copytree(used, device.home, symlinks=True)
    return device.tree()


@pytest.mark.long
def test_a_real_bundle_is_installed_and_reads_digits(amd64_bundle: Path, devices: list[Device]) -> None:
    device = devices[0]
    done = _mnist_edge("deploy", amd64_bundle, device.name, "--ssh-config", device.config, "--json")
    document = json.loads(done.stdout)
    (told,) = document["hosts"]
    assert (document["bundle"], document["dry_run"], told["host"]) == (str(amd64_bundle), False, device.name)
    assert (told["before"], told["now"], told["state"]) == ("nothing", document["version"], "installed")
    assert f"{device.name}: self-test passed" in done.stderr
    assert device.in_use() == document["version"]
    runtime = device.prefix / "current" / "bin" / "mnist-edge-runtime"
    read = subprocess.run([runtime, "selftest", "--json"], capture_output=True, check=True)
    assert json.loads(read.stdout)["passed"] is True
    asked = _mnist_edge("deploy", "--status", device.name, "garden", "--ssh-config", device.config, "--json", code=5)
    said, nothing = json.loads(asked.stdout)["hosts"]
    (model,) = (device.prefix / "current" / "model").iterdir()
    assert (said["version"], said["model"], said["passed"]) == (device.in_use(), model.name, True)
    assert said["model_sha256"] == hashlib.sha256(model.read_bytes()).hexdigest()
    assert (said["engine"], said["runtime"]) == ("litert", __version__)
    assert (nothing["passed"], nothing["version"]) == (False, None)
    assert asked.stderr.endswith("error: not every host proved itself: garden did not; see the lines above\n")


def _mnist_edge(*arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("mnist-edge")), *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == code, result.stderr
    assert "Traceback" not in result.stderr
    return result


def test_one_that_fails_stops_no_other(small: Pack, devices: list[Device], used: Path, tmp_path: Path) -> None:
    before = _installed(used, devices[1])
    devices[1].log_in("ulimit -f 400")
    newest = small(variant="newest")
    (tmp_path / "hosts").write_text(f"# the others\n\n{devices[1].name}\n  {devices[2].name}  # below\n")
    options = ["--hosts", tmp_path / "hosts", "--ssh-config", devices[0].config]
    done = _mnist_edge("deploy", newest, devices[0].name, *options, code=5)
    header, *rows = done.stdout.splitlines()
    assert header.split() == ["host", "before", "now", "seconds", "state"]
    assert [row.split(maxsplit=4)[4] for row in rows] == ["installed", "FAILED", "installed"]
    assert f"{devices[1].name}: FAILED: {devices[1].prefix}: File too large" in done.stderr
    assert done.stderr.endswith(f"error: not on every host: {devices[1].name} failed; see the lines above\n")
    assert devices[1].tree() == before
    assert devices[0].in_use() == devices[2].in_use() != devices[1].in_use()


@pytest.mark.long
def test_after_a_batch_with_a_failure_no_other_begins(
    small: Pack, devices: list[Device], used: Path, tmp_path: Path
) -> None:
    """The hosts of an inventory with addresses and ports of their own: first one alone, as it should be, then two."""
    attic, garden, cellar = devices
    bundle, newest = small(), small(variant="newest")
    before = _installed(used, garden)
    inventory = _inventory(devices, tmp_path)
    options = ["--inventory", inventory, "--ssh-config", attic.config, "--batch", 2, "--json"]
    garden.log_in("ulimit -f 400")
    done = _mnist_edge("deploy", newest, "upstairs", "garden", "cellar", *options, code=5)
    told = json.loads(done.stdout)["hosts"]
    assert [each["state"] for each in told] == ["installed", "failed", "not begun"]
    assert (told[2]["before"], told[2]["now"], told[2]["reason"]) == ("unknown", "unknown", None)
    assert "batch 1 of 2: attic, garden\n" in done.stderr
    assert "cellar: " not in done.stderr
    assert done.stderr.endswith("error: not on every host: garden failed, cellar not begun; see the lines above\n")
    assert (attic.in_use(), garden.tree(), cellar.tree()) == (told[0]["now"], before, {})
    garden.log_in()
    done = _mnist_edge("deploy", bundle, *options)
    assert {each["state"] for each in json.loads(done.stdout)["hosts"]} == {"installed"}
    assert "batch 2 of 2: " in done.stderr
    assert len({each.in_use() for each in devices}) == 1


def _inventory(devices: list[Device], folder: Path) -> Path:
    """Return what Ansible prints of the devices, whose names ssh does not know: it has their addresses from here."""
    hosts = {each.name: {"ansible_host": "127.0.0.1", "ansible_port": each.port} for each in devices}
    document = {"_meta": {"hostvars": hosts}, "all": {"children": ["upstairs", "downstairs"]}}
    groups = {"upstairs": {"hosts": ["attic"]}, "downstairs": {"hosts": ["garden", "cellar"]}}
    (folder / "inventory.json").write_text(json.dumps({**document, **groups}))
    for each in devices:
        each.configure()
        config = each.config.with_name(f"{each.name}.ssh")
        config.write_text(config.read_text().replace(f"Host {each.name}\n", "Host 127.0.0.1\n").replace("Port ", "#"))
    return folder / "inventory.json"


@pytest.mark.parametrize(
    ("selftest", "reason"), [("bad", "nothing was changed: failed: class 3"), ("late", "failed: only")]
)
def test_where_the_self_test_fails_everything_is_as_it_was(
    selftest: str, reason: str, small: Pack, devices: list[Device], used: Path
) -> None:
    old, empty = devices[:2]
    before = _installed(used, old)
    for outcome in _deploy(small(selftest), [old, empty]):
        assert outcome.state == "failed"
        assert reason in outcome.reason
        assert outcome.before == outcome.now
    assert old.tree() == before
    assert empty.tree() == {}


def test_a_device_that_got_a_list_of_signers_asks_for_the_signature_of_what_it_has(
    small: Pack, devices: list[Device]
) -> None:
    bundle, device = small(), devices[0]
    assert _deploy(bundle, [device])[0].state == "installed"
    signers = device.home / ".config/mnist-edge/allowed_signers"
    signers.parent.mkdir(parents=True)
    signers.touch()
    (outcome,) = _deploy(bundle, [device])
    assert outcome.state == "failed"
    assert "the bundle is unsigned" in outcome.reason
    assert outcome.now == outcome.before == device.in_use()


def test_the_same_signed_bundle_is_looked_at_again_and_not_installed(
    small: Pack, devices: list[Device], tmp_path: Path
) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "maker"], check=True)
    signers = devices[0].home / ".config/mnist-edge/allowed_signers"
    signers.parent.mkdir(parents=True)
    signers.write_text(f'maker namespaces="mnist-edge" {(tmp_path / "maker.pub").read_text()}')
    bundle = small(key=tmp_path / "maker", counter=1)
    states = [_deploy(bundle, devices[:1])[0] for _ in range(2)]
    assert [each.state for each in states] == ["installed", "already installed"], states


def test_a_dry_run_changes_nothing(small: Pack, devices: list[Device], capsys: pytest.CaptureFixture[str]) -> None:
    bundle = small()
    assert _deploy(bundle, devices[:1])[0].state == "installed"
    before = [each.tree() for each in devices]
    outcomes = _deploy(bundle, devices[:2], dry_run=True)
    assert [each.state for each in outcomes] == ["already installed", "would be installed"]
    assert [each.now for each in outcomes] == [devices[0].in_use(), "nothing"]
    said = capsys.readouterr().err
    assert f"{devices[1].name}: Python 3." in said
    assert _deploy(bundle, devices[:1])[0].state == "already installed"
    assert "copying" not in said.partition("already")[2] + capsys.readouterr().err
    assert [each.tree() for each in devices] == before


def test_a_broken_version_is_installed_again(small: Pack, devices: list[Device]) -> None:
    bundle = small()
    _deploy(bundle, devices[:1])
    whole = devices[0].tree()
    runtime = next(devices[0].prefix.glob("versions/*/lib/*/site-packages/mnist_edge_runtime/__main__.py"))
    runtime.write_text("nonsense")
    assert _deploy(bundle, devices[:1])[0].state == "installed"
    assert devices[0].tree() == whole


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"python": "3.2"}, "the bundle is for this-machine: Python 3.2, and this is Python 3."),
        ({"multiarch": "m68k-linux-gnu"}, "m68k-linux-gnu, and this is "),
        ({"installed_bytes": 1 << 60}, "make room and start again"),
    ],
)
def test_a_machine_it_is_not_for_gets_nothing(
    changes: dict[str, object], reason: str, small: Pack, devices: list[Device], capsys: pytest.CaptureFixture[str]
) -> None:
    (outcome,) = _deploy(small(**changes), devices[:1])
    assert reason in outcome.reason
    assert devices[0].tree() == {}
    assert "copying" not in capsys.readouterr().err


@pytest.fixture
def little_room(devices: list[Device]) -> Iterator[Device]:
    """Return a device whose disk has 4 MiB."""
    place = devices[0].home / "disk"
    place.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", place], capture_output=True, check=False)
    if mount.returncode:
        pytest.skip("no tmpfs can be mounted here")
    try:
        yield devices[0]
    finally:
        subprocess.run(["umount", place], check=True)


def test_a_disk_that_is_full(little_room: Device, small: Pack) -> None:
    prefix = "~/disk/apps/reader"
    before = little_room.tree()
    (outcome,) = _deploy(small(installed_bytes=8_000_000), [little_room], prefix=prefix)
    assert "the deployment needs 8.6 MB, and 4.2 MB are free; make room" in outcome.reason
    (outcome,) = _deploy(small(zeros=8_000_000), [little_room], prefix=prefix)  # more than it says
    assert "No space left on device" in outcome.reason
    assert little_room.tree() == before
    assert _deploy(small(), [little_room], prefix=prefix)[0].state == "installed"
    assert (little_room.home / "disk/apps/reader/current/bin/mnist-edge-runtime").is_file()


_PROXY = """\
import os, select, socket, sys

left, host = int(sys.argv[2]), socket.create_connection(("127.0.0.1", int(sys.argv[1])))
while left > 0:
    ready, _, _ = select.select([0, host], [], [])
    if host in ready:
        data = host.recv(65536)
        if not data or not os.write(1, data):
            break
    if 0 in ready:
        data = os.read(0, 65536)
        if not data:
            break
        host.sendall(data)
        left -= len(data)
"""


@pytest.fixture
def cut(devices: list[Device], tmp_path: Path) -> Device:
    """Return a device whose connections end after 300,000 bytes, which is in the middle of a bundle."""
    (tmp_path / "proxy.py").write_text(_PROXY)
    devices[0].configure(f"ProxyCommand {sys.executable} {tmp_path}/proxy.py %p 300000")
    return devices[0]


def test_a_connection_that_drops_leaves_nothing(cut: Device, small: Pack, capsys: pytest.CaptureFixture[str]) -> None:
    (outcome,) = _deploy(small(), [cut])
    assert outcome.reason.startswith("the connection was lost (")
    assert (outcome.before, outcome.now) == ("nothing", "nothing")
    assert "copying 0.6 MB" in capsys.readouterr().err
    assert cut.tree() == {}


@pytest.mark.long
@pytest.mark.parametrize("answer", ['{"error": "not now"}', '{"before": null, "now": null, "busy": true}'])
def test_a_lost_host_that_answers_otherwise_is_not_known(
    answer: str, cut: Device, small: Pack, devices: list[Device]
) -> None:
    cut.log_in(f"if test -e once; then echo 'mnist-edge: {answer}'; exit; fi; touch once")
    lost, other = _deploy(small(), devices[:2], timeout=6)
    assert "it cannot be asked for its version" in lost.reason
    assert (lost.now, other.state) == ("unknown", "installed")


def test_a_host_that_is_gone_is_not_known(small: Pack, devices: list[Device], used: Path, tmp_path: Path) -> None:
    before = _installed(used, devices[0])
    (tmp_path / "proxy.py").write_text(_PROXY)
    once = f"mkdir {tmp_path}/once && exec {sys.executable} {tmp_path}/proxy.py %p 300000"
    devices[0].configure(f"ProxyCommand sh -c '{once}'")
    (outcome,) = _deploy(small(variant="newest"), devices[:1])
    assert outcome.before == devices[0].in_use()
    assert outcome.now == "unknown"
    assert "it cannot be asked for its version; ask later, with --dry-run" in outcome.reason
    _wait_until(lambda: devices[0].tree() == before)


def test_a_host_that_never_answers_is_not_waited_for(small: Pack, devices: list[Device]) -> None:
    devices[0].configure("ProxyCommand sleep 30")
    (outcome,) = _deploy(small(), devices[:1], timeout=0.5)
    assert outcome.reason == "not done after 0.5 s"
    assert outcome.seconds < 25  # of the 30 that the connection sleeps


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_stopping_undoes_what_is_under_way(number: int, small: Pack, devices: list[Device], used: Path) -> None:
    before = _installed(used, devices[0])
    bundle = small("slow")
    command = [str(Path(sys.executable).with_name("mnist-edge")), "deploy", bundle, *(each.name for each in devices)]
    process = subprocess.Popen(
        [*command, "--ssh-config", devices[0].config, "--parallel", "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # in the background a shell has it ignored
    )
    _wait_until(lambda: all((each.home / "testing").exists() for each in devices[:2]))
    process.send_signal(number)
    table, said = process.communicate()
    if number != signal.SIGKILL:
        _, *lines = table.splitlines()
        assert [line.split()[0] for line in lines] == [each.name for each in devices]
        assert [line.split("  ")[-1].strip() for line in lines] == ["FAILED", "FAILED", "not begun"]
    for each in devices[:2]:
        _wait_until(lambda each=each: not (each.prefix / ".new").exists())  # type: ignore[misc]
        (each.home / "testing").unlink()
        if number != signal.SIGKILL:
            assert f"{each.name}: FAILED: stopped; in use now: " in said
    assert process.returncode == {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -9}[number]
    assert "Traceback" not in said
    _wait_until(lambda: [each.tree() for each in devices] == [before, {}, {}])


@pytest.mark.long
def test_a_host_that_is_too_slow_is_left_as_it_was(small: Pack, devices: list[Device]) -> None:
    (outcome,) = _deploy(small("slow"), devices[:1], timeout=4)
    assert outcome.reason == "not done after 4 s"
    assert devices[0].tree().keys() <= {"testing"}


def test_two_deployments_do_not_meet(small: Pack, devices: list[Device]) -> None:
    device = devices[0]
    device.prefix.mkdir(parents=True)
    with (device.prefix / ".lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        (outcome,) = _deploy(small(), [device])
    assert outcome.reason == f"{device.prefix}: another installation is at work there; wait for it"
    assert list(device.tree()) == [".local", ".local/share", ".local/share/mnist-edge", ".local/share/mnist-edge/.lock"]


def test_hosts_that_do_not_let_one_in(small: Pack, devices: list[Device], tmp_path: Path) -> None:
    unknown, changed, closed = devices
    (tmp_path / "none").write_text("")
    (tmp_path / "other").write_text(f"[127.0.0.1]:{changed.port} {(changed.folder / 'attic.pub').read_text()}")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "stranger"], check=True)
    unknown.configure(f"UserKnownHostsFile {tmp_path}/none")
    changed.configure(f"UserKnownHostsFile {tmp_path}/other")
    closed.configure(key=tmp_path / "stranger")
    reasons = [each.reason for each in _deploy(small(), devices)]
    by_hand = f"ssh -F {unknown.config} {unknown.name}"
    assert reasons[0] == f"its host key is not known; log in once and compare it: {by_hand}"
    assert reasons[1].startswith("its host key is not the one that is known; if it was reinstalled")
    assert reasons[2] == f"it does not accept a key of yours; give it one: ssh-copy-id -F {closed.config} {closed.name}"


def test_hosts_that_lack_what_it_takes(small: Pack, devices: list[Device]) -> None:
    bare, off, file = devices
    (file.home / "full" / "versions" / "1.0").mkdir(parents=True)
    (foreign,) = _deploy(small(), [file], prefix="~/full")
    assert "versions/1.0 is there, which no bundle has made" in foreign.reason
    bare.log_in("PATH=/nowhere")
    off.configure("ProxyCommand false")
    (file.home / "file").write_text("")
    outcomes = _deploy(small(), devices, prefix="~/file/below")
    assert outcomes[0].reason == "there is no python3 on it; install the package python3"
    assert outcomes[1].reason.endswith(f"; try by hand: ssh -F {off.config} {off.name}")
    assert outcomes[2].reason == f"{file.home}/file: no folder; choose another --prefix"
    assert [each.now for each in outcomes] == ["unknown", "unknown", "nothing"]


def test_what_a_login_prints_does_no_harm(small: Pack, devices: list[Device]) -> None:
    devices[0].log_in("echo Welcome; printf 'no line'; echo; echo hello >&2")
    assert _deploy(small(), devices[:1])[0].state == "installed"


def test_what_a_loss_of_power_left_is_undone_first(
    small: Pack, devices: list[Device], used: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = _installed(used, devices[0])
    stage = devices[0].prefix / ".new"
    (stage / "version").mkdir(parents=True)
    (stage / "placing").symlink_to("0123456789ab")
    shutil.copytree(devices[0].prefix / "current", devices[0].prefix / "versions" / "0123456789ab", symlinks=True)
    (outcome,) = _deploy(small("bad"), devices[:1])
    assert outcome.state == "failed"
    assert "an installation was cut off there before; it is undone first" in capsys.readouterr().err
    assert devices[0].tree() == before
