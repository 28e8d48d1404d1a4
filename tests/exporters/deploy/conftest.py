"""Devices to deploy to: each an OpenSSH server of the suite on 127.0.0.1, with a home and a port of its own."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

_CONFIG = """\
Host {name}
    {more}
    HostName 127.0.0.1
    Port {port}
    User {user}
    IdentityFile {key}
    IdentitiesOnly yes
    UserKnownHostsFile {folder}/known_hosts
    GlobalKnownHostsFile /dev/null
    StrictHostKeyChecking yes
"""
_SERVER = """\
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/{name}
AuthorizedKeysFile {folder}/key.pub
PidFile none
UsePAM no
StrictModes no
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
ForceCommand . {folder}/{name}.login
"""


@dataclass
class Device:
    """A host by its name, which the ssh configuration `config` knows."""

    name: str
    port: int
    folder: Path
    home: Path
    config: Path

    @property
    def prefix(self) -> Path:
        return self.home / ".local/share/mnist-edge"

    def log_in(self, before: str = "") -> None:
        """Let commands run in the device's home, with this Python as python3, after the shell lines `before`."""
        variables = f"export HOME={self.home} PATH={self.folder}/bin:/usr/bin:/bin"
        text = f'{variables}\ncd\n{before}\neval "$SSH_ORIGINAL_COMMAND"\n'
        (self.folder / f"{self.name}.login").write_text(text)

    def configure(self, more: str = "", key: Path | None = None) -> None:
        """Let the person's ssh configuration say `more` of this device, and have this key."""
        values = {"name": self.name, "port": self.port, "user": getpass.getuser(), "folder": self.folder}
        text = _CONFIG.format(**values, key=key or self.folder / "key", more=more)
        self.config.with_name(f"{self.name}.ssh").write_text(text)

    def tree(self) -> dict[str, object]:
        """Return all that is in its home, but what Python has compiled; a folder may be removed at the same time."""
        while True:
            with suppress(FileNotFoundError):
                return {
                    str(path.relative_to(self.home)): os.readlink(path)
                    if path.is_symlink()
                    else path.is_file() and path.read_bytes()
                    for path in self.home.rglob("*")
                    if "__pycache__" not in path.parts
                }

    def in_use(self) -> str | None:
        """Return the name of the version in use."""
        link = self.prefix / "current"
        return os.path.basename(os.readlink(link)) if link.is_symlink() else None


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Mapping[str, int]]]:
    """Return the folder of three servers, and the port of each by the device's name."""
    sshd = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:" + os.environ.get("PATH", ""))
    if not sshd or not shutil.which("ssh"):
        pytest.skip("there is no sshd or ssh here; install the packages openssh-server and openssh-client")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # as Debian's own unit does
    folder = tmp_path_factory.mktemp("servers")
    (folder / "bin").mkdir()
    python = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    (folder / "bin" / "python3").symlink_to(Path(sys.base_prefix, "bin", python))
    names = ("attic", "garden", "cellar")
    for key in ("key", *names):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / key], check=True)
    ports = {name: _free_port() for name in names}
    known = [f"[127.0.0.1]:{ports[name]} {(folder / f'{name}.pub').read_text()}" for name in names]
    (folder / "known_hosts").write_text("".join(known))
    running = []
    try:
        for name in names:
            config = folder / f"{name}.sshd"
            config.write_text(_SERVER.format(name=name, port=ports[name], folder=folder))
            with (folder / f"{name}.log").open("w") as log:
                running.append(subprocess.Popen([sshd, "-D", "-e", "-f", config], stderr=log))
        for name in names:
            _wait_for(ports[name], folder / f"{name}.log")
        yield folder, ports
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int, log: Path) -> None:
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.skip(f"sshd does not start here: {log.read_text().strip()}")


def make_devices(servers: tuple[Path, Mapping[str, int]], folder: Path) -> list[Device]:
    """Return a device for each server, whose homes, which are empty, lie in a folder."""
    config = folder / "ssh_config"
    config.write_text(f"Include {folder}/*.ssh\n")
    devices = [Device(name, port, servers[0], folder / name, config) for name, port in servers[1].items()]
    for device in devices:
        device.home.mkdir()
        device.log_in()
        device.configure()
    return devices


@pytest.fixture
def devices(servers: tuple[Path, Mapping[str, int]], tmp_path: Path) -> list[Device]:
    """Return three devices with empty homes."""
    return make_devices(servers, tmp_path)
