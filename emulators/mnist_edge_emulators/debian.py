"""Download packages of Debian through this machine's apt, for any architecture, and unpack them into a root folder."""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path

from mnist_edge_exporters.bundle import apt
from mnist_edge_runtime import InputError

from . import cache
from .errors import UnavailableError

__all__ = ["DebianRoot", "download", "host_command", "programs", "unpack", "unpacked"]

_LAYOUT = 1  # raised when the same description gives another folder
_LIBRARIES = "usr/lib/x86_64-linux-gnu"
_LOADER = "lib64/ld-linux-x86-64.so.2"


@dataclass(frozen=True)
class DebianRoot:
    """Describes a root folder in the cache that is made of Debian's packages.

    Attributes:
        name: its name in the cache.
        codename: the Debian release.
        architecture: Debian's name of the architecture.
        packages: Debian packages; their dependencies come along.
        links: symbolic links that the packages' maintainer scripts would make: path to target.
    """

    name: str
    codename: str
    architecture: str
    packages: tuple[str, ...]
    links: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def folder(self) -> str:
        """The folder's name in the cache: another description, another folder."""
        text = json.dumps([_LAYOUT, asdict(self)], sort_keys=True)
        return f"{self.name}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def unpacked(described: DebianRoot) -> Path:
    """Return the root folder from the cache, downloaded and unpacked first where it is not there.

    Raises:
        UnavailableError: its packages are not available.
    """

    def make(new: Path) -> None:
        unpack(download(described, new / "apt"), new / "root")
        shutil.rmtree(new / "apt")

    return cache.cached(described.folder, make) / "root"


def programs(described: DebianRoot, what: str) -> Path:
    """Return the root folder with the programs of an emulator, which run on this machine.

    Args:
        described: Debian's packages for amd64.
        what: is emulated, for the message.

    Raises:
        UnavailableError: its packages are not available, or this machine is not Linux on x86_64.
    """
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise UnavailableError(f"{what} are emulated on Linux x86_64, this is {platform.system()} {platform.machine()}")
    return unpacked(described)


def host_command(root: Path, program: str) -> list[str]:
    """Return the first words of a command: loader, option, libraries and program, all of a root folder for amd64."""
    return [str(root / _LOADER), "--library-path", str(root / _LIBRARIES), str(root / "usr" / "bin" / program)]


def download(described: DebianRoot, folder: Path) -> list[Path]:
    """Download the packages and their dependencies into `folder`; return the .deb files.

    Updates between point releases are left out: an emulated machine should not change from day to day.

    Raises:
        UnavailableError: there is no apt, its sources are not Debian's or they cannot be reached.
    """
    names = ", ".join(described.packages)
    try:
        options = apt.options(folder, described.architecture)
        (folder / "sources" / "debian.sources").write_text(apt.sources(described.codename, security=False))
        apt.call(["apt-get", *options, "update"], "Debian's lists of packages")
        install = ["apt-get", *options, "--yes", "--download-only", "install", *described.packages]
        apt.call(install, f"the packages {names} of Debian {described.codename} for {described.architecture}")
    except InputError as error:
        raise UnavailableError(str(error)) from None
    return sorted((folder / "archives").glob("*.deb"))


def unpack(archives: Sequence[Path], root: Path) -> None:
    """Unpack .deb files into `root`, whose /bin, /sbin and /lib link into /usr; no maintainer script runs."""
    for name in ("bin", "sbin", "lib", "lib64"):
        (root / "usr" / name).mkdir(parents=True, exist_ok=True)
        (root / name).symlink_to(f"usr/{name}")
    tar = ["tar", "-x", "-C", str(root), "--keep-directory-symlink", "--no-same-owner", "--warning=no-timestamp"]
    for archive in archives:
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", archive], stdout=subprocess.PIPE) as members:
            code = subprocess.run(tar, stdin=members.stdout, stderr=subprocess.DEVNULL, check=False).returncode
        if members.returncode or code:
            ended = f"dpkg-deb ended with {members.returncode}, tar with {code}"
            raise UnavailableError(f"{archive.name} cannot be unpacked: {ended}")
