"""Fetch Debian's packages, for a system whose Python packages the index lacks, and repack them as archives.

apt uses this machine's sources of Debian with a package state of its own, for the release and the architecture of the
system; nothing is installed here, and no root rights are needed.
"""

from __future__ import annotations

import hashlib
import io
import posixpath
import re
import subprocess
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.parser import Parser
from pathlib import Path

from mnist_edge_runtime import InputError
from mnist_edge_runtime.command_line import tell
from mnist_edge_runtime.host import cache_folder

from . import apt, wheel_files
from .systems import System

__all__ = ["DebianPackage", "collect"]

_LIBRARIES = "debian_libraries"  # below site-packages, where the installer lets the loader look
_MODULES = "usr/lib/python3/dist-packages/"
_LIBRARY = re.compile(r"lib[^/]*\.so(\.[^/]*)?")
_ALTERNATIVES = ("", "blas/", "lapack/")  # folders of libraries; the last two are linked to on a whole system
_NAME = re.compile(r"(?:^|[,|])\s*([a-z0-9][a-z0-9+.-]+)")  # of a package in a list of dependencies


@dataclass(frozen=True)
class DebianPackage:
    """The files of one package that a device needs.

    Attributes:
        name: Debian's name for it.
        version: with its epoch.
        file: a name for the archive.
        data: a zip archive to be unpacked into site-packages.
        upstream_sha256: of the .deb file.
    """

    name: str
    version: str
    file: str
    data: bytes
    upstream_sha256: str


def collect(system: System) -> list[DebianPackage]:
    """Return Debian's packages of the system's Python packages and the libraries that they need, by name.

    Left out are the packages that come with the system's Python, which the device has, and those of programs: only
    dependencies on libraries are followed.

    Raises:
        InputError: there is no apt here, it has no source of Debian packages, or packages are not available.
    """
    if not system.debian:
        return []
    folder = _cache(system)
    options = _update(system, folder)
    roots = sorted(system.debian.values())
    present = _to_install(options, ["python3"])
    wanted = _libraries(options, roots, _to_install(options, roots) - present)
    apt.call(["apt-get", *options, "download", *wanted], f"the packages {', '.join(wanted)}", folder)
    found = []
    for deb in sorted(folder.glob("*.deb")):
        name, version = apt.call(["dpkg-deb", "--show", str(deb)], deb.name).split()
        if name in wanted and version == wanted[name]:
            short = version.partition(":")[2] or version  # as Debian names files: without the epoch
            data = _repacked(deb, name, system)
            file = f"{name}_{short}_{system.architecture}.zip"
            found.append(DebianPackage(name, version, file, data, hashlib.sha256(deb.read_bytes()).hexdigest()))
    return found


def _cache(system: System) -> Path:
    """Return the folder in the user's cache where apt keeps what it fetches, for the next bundle."""
    return cache_folder() / "bundles" / system.name


def _update(system: System, folder: Path) -> list[str]:
    """Fetch the lists of packages and return the options with which apt uses them."""
    options = apt.options(folder, system.architecture)
    release = system.name.partition("-")[0]
    sources = folder / "sources" / "debian.sources"
    update, what = ["apt-get", *options, "update"], f"the lists of packages of Debian {release}"
    sources.write_text(apt.sources(release, security=True))
    try:
        apt.call(update, what)
    except InputError as error:
        sources.write_text(apt.sources(release, security=False))
        apt.call(update, what)
        tell(f"WARNING: without Debian's security updates since its last release: {error}")
    return options


def _to_install(options: Sequence[str], names: Sequence[str]) -> set[str]:
    """Return the names of the packages that come with these on a system that has none."""
    text = apt.call(["apt-get", *options, "--simulate", "install", *names], f"the packages {', '.join(names)}")
    return {line.split()[1] for line in text.splitlines() if line.startswith("Inst ")}


def _libraries(options: Sequence[str], roots: Sequence[str], offered: set[str]) -> dict[str, str]:
    """Return, with their versions, `roots` and the libraries among `offered` that they depend on."""
    show = ["apt-cache", *options, "--no-all-versions", "show", *sorted(offered)]
    shown = apt.call(show, "Debian's lists of packages")
    controls = {control["Package"]: control for control in map(Parser().parsestr, shown.strip().split("\n\n"))}
    found: dict[str, str] = {}
    waiting = list(roots)
    while waiting:
        control = controls[waiting.pop()]
        found[control["Package"]] = control["Version"]
        needs = _NAME.findall(f"{control['Depends'] or ''}, {control['Pre-Depends'] or ''}")
        waiting += {need for need in needs if need.startswith("lib")} & offered - found.keys()
    return dict(sorted(found.items()))


def _repacked(deb: Path, name: str, system: System) -> bytes:
    """Return an archive of the package's Python modules, its libraries and its copyright; equal files, equal bytes."""
    tar = subprocess.run(["dpkg-deb", "--fsys-tarfile", str(deb)], capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        infos = {info.name.removeprefix("./"): info for info in archive}
        members = {}
        for place, target in _kept(infos, name, system):
            content = archive.extractfile(infos[place])
            assert content
            members[target] = content.read()
    return wheel_files.zipped(sorted(members.items()))


def _kept(infos: dict[str, tarfile.TarInfo], name: str, system: System) -> Iterator[tuple[str, str]]:
    """Yield the files of a package that a bundle contains, each with its place below site-packages.

    A library gets the name of the link that leads to it: the one that programs ask for.
    """
    links = {
        posixpath.join(posixpath.dirname(place), info.linkname): posixpath.basename(place)
        for place, info in infos.items()
        if info.issym() and _LIBRARY.fullmatch(posixpath.basename(place))
    }
    folders = {f"usr/lib/{system.multiarch}/{inner}".rstrip("/") for inner in _ALTERNATIVES}
    for place, info in infos.items():
        folder, base = posixpath.split(place)
        if not info.isreg():
            continue
        if place.startswith(_MODULES):
            yield place, place.removeprefix(_MODULES)
        elif folder in folders and _LIBRARY.fullmatch(base):
            yield place, f"{_LIBRARIES}/{links.get(place, base)}"
        elif place == f"usr/share/doc/{name}/copyright":
            yield place, f"{_LIBRARIES}/copyright/{name}"
