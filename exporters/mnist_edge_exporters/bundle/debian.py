"""Debian's own packages, for a system whose Python packages the index lacks: fetched by apt, repacked as archives.

Everything goes through this machine's sources of Debian with a package state of our own, for the release and the
architecture of the system; nothing is installed here, and no root is needed.
"""

from __future__ import annotations

import hashlib
import io
import os
import posixpath
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.parser import Parser
from pathlib import Path

from mnist_edge_runtime import InputError

from . import wheel_files
from .systems import System

__all__ = ["DebianPackage", "collect"]

_LIBRARIES = "debian_libraries"  # below site-packages, where the installer lets the loader look
_MODULES = "usr/lib/python3/dist-packages/"
_LIBRARY = re.compile(r"lib[^/]*\.so(\.[^/]*)?")
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_ALTERNATIVES = ("", "blas/", "lapack/")  # folders of libraries; the last two are linked to on a whole system
_NAME = re.compile(r"(?:^|[,|])\s*([a-z0-9][a-z0-9+.-]+)")  # of a package in a list of dependencies
_SECONDS = 600


@dataclass(frozen=True)
class DebianPackage:
    """What a device needs of one package.

    Attributes:
        name: as Debian calls it.
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

    What comes with the system's Python is on the device already and is left out, and so are the packages of programs:
    only libraries are followed.

    Raises:
        InputError: there is no apt here, it has no source of Debian, or packages cannot be had.
    """
    if not system.debian:
        return []
    folder = _cache(system)
    options = _update(system, folder)
    roots = sorted(system.debian.values())
    present = _to_install(options, ["python3"])
    wanted = _libraries(options, roots, _to_install(options, roots) - present)
    _call(["apt-get", *options, "download", *wanted], f"the packages {', '.join(wanted)}", folder)
    found = []
    for deb in sorted(folder.glob("*.deb")):
        name, version = _call(["dpkg-deb", "--show", str(deb)], deb.name).split()
        if name in wanted and version == wanted[name]:
            short = version.partition(":")[2] or version  # as Debian names files: without the epoch
            data = _repacked(deb, name, system)
            file = f"{name}_{short}_{system.architecture}.zip"
            found.append(DebianPackage(name, version, file, data, hashlib.sha256(deb.read_bytes()).hexdigest()))
    return found


def _cache(system: System) -> Path:
    """Return the folder in the user's cache where apt keeps what it fetched, so that the next bundle is quick."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base, "mnist-edge", "bundles", system.name)
    for name in ("state/lists/partial", "archives/partial", "sources"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "status").write_text("")
    return folder


def _update(system: System, folder: Path) -> list[str]:
    """Fetch the lists of packages and return the options that keep apt to them."""
    values = {
        "Dir::State": folder / "state",
        "Dir::State::status": folder / "status",
        "Dir::Cache": folder,
        "Dir::Etc::sourcelist": "/dev/null",
        "Dir::Etc::sourceparts": folder / "sources",
        "Dir::Etc::preferences": "/dev/null",
        "Dir::Etc::preferencesparts": "/dev/null",
        "APT::Architecture": system.architecture,
        "APT::Architectures": system.architecture,
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "",  # another user could not write here
        "APT::Update::Post-Invoke": "",
        "APT::Update::Error-Mode": "any",  # by itself a source that is not reached is a warning
        "Acquire::Languages": "none",
        "Acquire::Retries": "2",
    }
    options = ["-qq", *(part for name, value in values.items() for part in ("-o", f"{name}={value}"))]
    release = system.name.partition("-")[0]
    sources = folder / "sources" / "debian.sources"
    update, what = ["apt-get", *options, "update"], f"the lists of packages of Debian {release}"
    sources.write_text(_sources(release, security=True))
    try:
        _call(update, what)
    except InputError as error:
        sources.write_text(_sources(release, security=False))
        _call(update, what)
        print(f"warning: without Debian's security updates since its last release: {error}", file=sys.stderr)
    return options


def _sources(release: str, *, security: bool) -> str:
    """Return this machine's sources of Debian, with `release` in place of the one that it runs."""
    listing = ["apt-get", "--no-release-info", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)"]
    rows = [row.split() for row in _call([*listing, "Created-By: Packages"], "apt's list of sources").splitlines()]
    names = {_codename(), "stable", "oldstable"}
    signed = f"Signed-By: {_KEYRING}\n" if _KEYRING.exists() else ""
    suffixes = ("", "-security") if security else ("",)
    entries = {
        (uri, f"{release}{suffix}")
        for uri, suite, component in (row for row in rows if len(row) == 3)
        for suffix in suffixes
        if component == "main" and suite in {f"{name}{suffix}" for name in names}
    }
    if not entries:
        raise InputError("apt has no source of Debian packages here (deb ... main); take a machine with Debian")
    return "\n".join(
        f"Types: deb\nURIs: {uri}\nSuites: {suite}\nComponents: main\n{signed}" for uri, suite in sorted(entries)
    )


def _codename() -> str:
    """Return the name of the release that this machine runs."""
    found = re.search(r"VERSION_CODENAME=(\w+)", Path("/etc/os-release").read_text(encoding="utf-8"))
    return found[1] if found else "stable"


def _to_install(options: Sequence[str], names: Sequence[str]) -> set[str]:
    """Return the names of the packages that come with these on a system that has none."""
    text = _call(["apt-get", *options, "--simulate", "install", *names], f"the packages {', '.join(names)}")
    return {line.split()[1] for line in text.splitlines() if line.startswith("Inst ")}


def _libraries(options: Sequence[str], roots: Sequence[str], offered: set[str]) -> dict[str, str]:
    """Return, with their versions, `roots` and the libraries among `offered` that they depend on."""
    shown = _call(["apt-cache", *options, "--no-all-versions", "show", *sorted(offered)], "Debian's lists of packages")
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
    """Yield which files of a package are carried, and where they lie below site-packages.

    A library lies where its links lead, under the name of the link: the one that programs ask for.
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


def _call(command: Sequence[str], what: str, folder: Path | None = None) -> str:
    """Run a tool of Debian's and return what it prints."""
    try:
        result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True, timeout=_SECONDS)
    except FileNotFoundError:
        raise InputError(f"{what} cannot be had: {command[0]} is not installed; take a machine with Debian") from None
    except subprocess.TimeoutExpired:
        raise InputError(f"{what} cannot be had: {command[0]} did not end within {_SECONDS} seconds") from None
    except subprocess.CalledProcessError as error:
        said = [line for line in error.stderr.splitlines() if line.startswith("E:")] or [
            f"exit code {error.returncode}"
        ]
        raise InputError(f"{what} cannot be had: {said[0].removeprefix('E: ')}") from None
    return result.stdout
