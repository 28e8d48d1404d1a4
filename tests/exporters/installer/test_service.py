"""The systemd unit: its user is the owner of its folder, and a new version is taken into use by restarting it."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from mnist_edge_exporters.bundle.manifest import BundleManifest, Package
from mnist_edge_exporters.installer import checks, layout, service, transaction
from mnist_edge_exporters.installer.errors import InstallError

from .conftest import sh, tree, unpack, variant


@pytest.fixture
def public(prefix: Path) -> Iterator[Path]:
    """Return a folder that everybody may enter, with a copy of the prefix and a folder `in box` that is not root's."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        shutil.copytree(prefix, folder / "a place", symlinks=True, copy_function=os.link)
        (folder / "in box").mkdir()
        if os.geteuid() == 0:
            shutil.chown(folder / "in box", "daemon")
        yield folder


def test_the_service_runs_as_the_owner_of_its_folder(unpacked: Path, public: Path) -> None:
    prefix, watched = public / "a place", public / "in box"
    sh(unpacked, "--prefix", prefix)
    told = sh(unpacked, "--prefix", prefix, "--service", watched).stdout
    assert told.endswith(f"; to start the service: sudo systemctl enable --now {prefix}/mnist-edge.service\n")
    unit = prefix / "mnist-edge.service"
    lines = unit.read_text().splitlines()
    (start,) = (line for line in lines if line.startswith("ExecStart="))
    assert start.startswith(f'ExecStart="{prefix}/current/bin/mnist-edge-runtime" ')
    assert start.endswith(f'--jsonl "{watched}"')
    assert f"User={watched.owner()}" in lines
    if shutil.which("systemd-analyze"):
        analyze = ["systemd-analyze", "--man=no", "verify", str(unit)]
        assert unit.name not in subprocess.run(analyze, capture_output=True, text=True, check=False).stderr
        analyze = ["systemd-analyze", "security", "--offline=yes", "--threshold=20", str(unit)]  # of 100: 2.0 of 10
        subprocess.run(analyze, capture_output=True, check=True)

    again = sh(unpacked, "--prefix", prefix).stdout
    assert again.startswith("already installed")
    advice = "sudo systemctl restart mnist-edge.service"
    assert again.endswith(f"; a service that runs takes it into use after: {advice}\n")


def test_the_service_is_never_roots(unpacked: Path, tmp_path: Path) -> None:
    if os.geteuid():
        pytest.skip("only root can make a folder of root's")
    assert "chown it first" in sh(unpacked, "--service", tmp_path, code=2).stderr
    (tmp_path / 'a"b').mkdir()
    shutil.chown(tmp_path / 'a"b', "daemon")
    assert "systemd cannot take" in sh(unpacked, "--service", tmp_path / 'a"b', code=2).stderr
    (tmp_path / "box").mkdir()
    shutil.chown(tmp_path / "box", "daemon")
    (tmp_path / "own").mkdir(mode=0o700)
    refused = sh(unpacked, "--prefix", tmp_path / "own" / "prefix", "--service", tmp_path / "box", code=2)
    assert "daemon cannot enter" in refused.stderr


@pytest.fixture
def serving(small: Callable[..., Path], tmp_path: Path) -> Path:
    """Return an unpacked bundle that names the libraries of the service, in a folder that everybody may enter."""
    own = Package("uvicorn", "1.0", "wheels/runtime.whl", hashlib.sha256(b"").hexdigest(), "pypi")

    def named(packages: tuple[Package, ...]) -> tuple[Package, ...]:
        return tuple(replace(own, sha256=each.sha256) for each in packages)

    unpacked = unpack(small(), tmp_path / "serving")
    manifest = BundleManifest.from_json((unpacked / "bundle.json").read_bytes())
    changed = replace(manifest, packages=named(manifest.packages)).to_json().encode()
    return variant(unpacked, tmp_path / "serving" / "named", {"bundle.json": changed})


@pytest.mark.parametrize("listen", [(), ("--listen", "0.0.0.0:9000")])
def test_the_service_answers_over_http_as_nobody(serving: Path, listen: tuple[str, ...]) -> None:
    with tempfile.TemporaryDirectory() as name:
        prefix = Path(name) / "a place"
        Path(name).chmod(0o755)
        told = sh(serving, "--prefix", prefix, "--service", "serve", *listen).stdout.rstrip()
        unit = prefix / "mnist-edge.service"
        lines = unit.read_text().splitlines()
        assert "DynamicUser=yes" in lines
        assert "@" not in unit.read_text().replace("@system-service", "").replace("@privileged", "")
        (start,) = (line for line in lines if line.startswith("ExecStart="))
        command = f'ExecStart="{prefix}/current/bin/mnist-edge-runtime" serve --host '
        if listen:
            assert start == command + '0.0.0.0 --port 9000 --token-file "${CREDENTIALS_DIRECTORY}/token"'
            assert f"LoadCredential=token:{prefix}/token" in lines
            assert "SocketBindAllow=ipv4:tcp:9000" in lines
            assert told.endswith(
                f"http://0.0.0.0:9000/, for everybody in the network who has the token in {prefix}/token"
            )
            token = (prefix / "token").read_text()
            assert ((prefix / "token").stat().st_mode & 0o777, len(token) > 20) == (0o600, True)
            sh(serving, "--prefix", prefix, "--service", "serve", *listen)
            assert (prefix / "token").read_text() == token
        else:
            assert start == command + "127.0.0.1 --port 8028"
            assert {"IPAddressDeny=any", "IPAddressAllow=localhost"} <= set(lines)
            assert told.endswith("; it is for http://127.0.0.1:8028/")
            assert not (prefix / "token").exists()
        if shutil.which("systemd-analyze"):
            analyze = ["systemd-analyze", "--man=no", "verify", str(unit)]
            assert unit.name not in subprocess.run(analyze, capture_output=True, text=True, check=False).stderr
            analyze = ["systemd-analyze", "security", "--offline=yes", "--threshold=20", str(unit)]  # of 100: 2.0 of 10
            subprocess.run(analyze, capture_output=True, check=True)


def test_where_the_service_cannot_answer_over_http_nothing_is_installed(
    unpacked: Path, serving: Path, tmp_path: Path
) -> None:
    refused = sh(unpacked, "--prefix", tmp_path / "new", "--service", "serve", code=3)
    assert "make one with: mnist-edge bundle --with serve" in refused.stderr
    (tmp_path / "own").mkdir(mode=0o700)
    refused = sh(serving, "--prefix", tmp_path / "own" / "prefix", "--service", "serve", code=2)
    assert "a user of its own, who cannot enter" in refused.stderr
    for listen in ("localhost", "::1", "0.0.0.0:80", "1.2.3.4:x", "0.0.0.0:", "300.0.0.1"):
        assert "--listen" in sh(serving, "--service", "serve", "--listen", listen, code=2).stderr
    told = sh(serving, "--service", "serve", "--listen", "1.2.3.4:x", code=2).stderr
    assert "port 'x' is no number from 1024 to 65535" in told
    assert "--listen is for --service serve" in sh(serving, "--listen", "0.0.0.0", code=2).stderr
    assert not (tmp_path / "new").exists()


@pytest.fixture
def systemctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in for systemctl: write its arguments to the file that is returned; fail if there is a file `fails`."""
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin" / "systemctl"
    script.write_text(f'#!/bin/sh\necho "$@" >> "{tmp_path}/called"\n! test -e "{tmp_path}/fails"\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    monkeypatch.setattr(service, "_may_control", lambda: True)
    return tmp_path / "called"


def test_root_starts_it_and_a_new_version_restarts_it(systemctl: Path, prefix: Path, unpacked: Path) -> None:
    assert service.restart(prefix) == ""
    assert not systemctl.exists()
    assert service.write(prefix, "[Unit]\n") == "; the service mnist-edge.service runs"
    unit = prefix / "mnist-edge.service"
    assert unit.read_text() == "[Unit]\n"
    assert service.restart(prefix) == ""
    assert systemctl.read_text().splitlines() == [
        "daemon-reload",
        f"enable {unit}",
        "restart mnist-edge.service",
        "show --property LoadState --value mnist-edge.service",
        "try-restart mnist-edge.service",
    ]


def test_a_service_that_was_disabled_is_no_obstacle(systemctl: Path, prefix: Path, tmp_path: Path) -> None:
    """Its unit lies outside of systemd's folders, so that a disabled one is not found, and cannot be restarted."""
    (prefix / "mnist-edge.service").write_text("[Unit]\n")
    script = tmp_path / "bin" / "systemctl"
    script.write_text(script.read_text() + 'case "$1" in show) echo not-found ;; *) exit 1 ;; esac\n')
    hint = f"; its service is not enabled: sudo systemctl enable --now {prefix}/mnist-edge.service"
    assert service.restart(prefix) == hint


def test_a_folder_of_nobody_that_is_known(prefix: Path, unpacked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(number: int) -> None:
        raise KeyError(f"getpwuid(): uid not found: {number}")

    monkeypatch.setattr(service.pwd, "getpwuid", unknown)
    stat = os.stat_result((0o40755, 0, 0, 0, 54321, 54321, 0, 0, 0, 0))
    monkeypatch.setattr(Path, "stat", lambda self, **options: stat)
    with pytest.raises(InstallError, match="its owner, 54321, is no user of this machine; chown it first") as error:
        service.unit(unpacked, prefix, prefix)
    assert error.value.code == 2


def test_where_it_cannot_be_restarted_the_version_before_stays(
    systemctl: Path, prefix: Path, unpacked: Path, tmp_path: Path
) -> None:
    (prefix / "mnist-edge.service").write_text("[Unit]\n")
    (tmp_path / "fails").touch()
    before = tree(prefix)
    newer = variant(unpacked, tmp_path / "newer", {"sbom.cdx.json": b"{ }"})
    told: list[str] = []
    message = "this failed, so nothing was changed: systemctl try-restart mnist-edge.service"
    with pytest.raises(InstallError, match=message), transaction.begin(prefix):
        transaction.install(newer, prefix, checks.check_files(newer), tell=told.append)
    assert told == ["self-test passed: as it promises"]
    assert tree(prefix) == before
    (tmp_path / "fails").unlink()
    with transaction.begin(prefix):
        sentence = transaction.install(newer, prefix, checks.check_files(newer))
    assert sentence.startswith("installed: ")
    assert layout.linked(prefix, "current") == checks.check_files(newer)


@pytest.mark.parametrize("address", ["IPAddressAllow=any", "IPAddressDeny=any\nIPAddressAllow=localhost"])
def test_with_the_camera_of_the_documentation_it_is_still_confined(tmp_path: Path, address: str) -> None:
    root = Path(__file__).parents[3]
    text = (root / "exporters" / "mnist_edge_exporters" / "installer" / "mnist-edge-serve.service").read_text()
    for name, value in (("PREFIX", "/opt/mnist-edge"), ("PORT", "8028"), ("ADDRESSES", address)):
        text = text.replace(f"@{name}@", value)
    text = text.replace("@OPTIONS@", "").replace("@CREDENTIAL@", "")
    (camera,) = re.findall(r"```ini\n\[Service\]\n(.*?)```", (root / "docs" / "camera.md").read_text(), re.DOTALL)
    unit = tmp_path / "mnist-edge.service"
    unit.write_text(text.replace("[Install]", f"{camera}\n[Install]"))

    assert "serve --camera" in camera
    if shutil.which("systemd-analyze"):
        analyze = ["systemd-analyze", "security", "--offline=yes", "--threshold=23", str(unit)]  # of 100: 2.3 of 10
        result = subprocess.run(analyze, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stdout[-500:]
