"""Debian's packages through this machine's apt sources and wheels through its pip, for another architecture."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from .errors import UnavailableError
from .recipes import Board, Recipe

__all__ = ["debian", "discard", "unpack", "wheels"]

_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_CODENAME = re.compile(r"VERSION_CODENAME=(\w+)")
_SECONDS = 600


def debian(recipe: Recipe, folder: Path) -> list[Path]:
    """Download a recipe's packages, and what they depend on, into `folder`; return the .deb files.

    The machine's sources are asked for the recipe's release, with a package state of our own in which nothing is
    installed. No root rights are needed and nothing outside `folder` is touched.

    Raises:
        UnavailableError: there is no apt, its sources are not Debian's or they cannot be reached.
    """
    options = _private_state(recipe, folder)
    _call(["apt-get", *options, "update"], "Debian's lists of packages")
    names = ", ".join(recipe.packages)
    install = ["apt-get", *options, "--yes", "--download-only", "install", *recipe.packages]
    _call(install, f"the packages {names} of Debian {recipe.codename} for {recipe.architecture}")
    return sorted((folder / "cache" / "archives").glob("*.deb"))


def unpack(archives: Sequence[Path], root: Path) -> None:
    """Unpack .deb files into `root`, whose /bin, /sbin and /lib are links into /usr; no maintainer script runs."""
    for name in ("bin", "sbin", "lib", "lib64"):
        (root / "usr" / name).mkdir(parents=True, exist_ok=True)
        (root / name).symlink_to(f"usr/{name}")
    for archive in archives:
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", archive], stdout=subprocess.PIPE) as members:
            tar = [
                "tar",
                "-x",
                "-C",
                str(root),
                "--keep-directory-symlink",
                "--no-same-owner",
                "--warning=no-timestamp",
            ]
            subprocess.run(tar, stdin=members.stdout, check=True)
        if members.returncode:
            raise UnavailableError(f"{archive.name} cannot be unpacked: dpkg-deb ended with {members.returncode}")


def discard(*folders: Path) -> None:
    """Remove what is unpacked by now."""
    for folder in folders:
        shutil.rmtree(folder)


def wheels(board: Board, folder: Path) -> None:
    """Download a board's wheels into `folder`.

    Raises:
        UnavailableError: there is no pip, or the package index cannot be reached or lacks one.
    """
    platforms = [part for tag in board.platforms for part in ("--platform", tag)]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", "--python-version", board.python, *platforms, "--dest", str(folder)]
    environment = {name: value for name, value in os.environ.items() if name != "PIP_CONSTRAINT"}  # of this Python
    _call([*command, *board.wheels], f"the wheels {', '.join(board.wheels)}", environment)


def _private_state(recipe: Recipe, folder: Path) -> list[str]:
    """Return the options that keep apt-get in `folder`, where they find the machine's sources for the recipe."""
    for name in ("state/lists/partial", "cache/archives/partial", "sources"):
        (folder / name).mkdir(parents=True)
    (folder / "status").touch()
    (folder / "sources" / "debian.sources").write_text(_sources(recipe), encoding="utf-8")
    values = {
        "Dir::State": folder / "state",
        "Dir::State::status": folder / "status",
        "Dir::Cache": folder / "cache",
        "Dir::Etc::sourcelist": "/dev/null",
        "Dir::Etc::sourceparts": folder / "sources",
        "Dir::Etc::preferences": "/dev/null",
        "Dir::Etc::preferencesparts": "/dev/null",
        "APT::Architecture": recipe.architecture,
        "APT::Architectures": recipe.architecture,
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "",  # another user could not write here
        "APT::Update::Post-Invoke": "",
        "APT::Update::Error-Mode": "any",  # by itself a source that is not reached is a warning
        "Acquire::Languages": "none",
        "Acquire::Retries": "2",
    }
    return ["-qq", *(part for name, value in values.items() for part in ("-o", f"{name}={value}"))]


def _sources(recipe: Recipe) -> str:
    """Return the machine's Debian sources with the recipe's release in place of the machine's.

    Updates between point releases are left out: boards should not change from day to day.
    """
    found = _CODENAME.search(Path("/etc/os-release").read_text(encoding="utf-8"))
    machine = found[1] if found else "stable"
    listing = ["apt-get", "--no-release-info", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)"]
    rows = _call([*listing, "Created-By: Packages"], "apt's list of sources").splitlines()
    names = {machine, "stable", "oldstable"}
    entries = dict.fromkeys(tuple(row.split()) for row in rows if len(row.split()) == 3)
    signed = f"Signed-By: {_KEYRING}\n" if _KEYRING.exists() else ""
    text = "\n".join(
        f"Types: deb\nURIs: {uri}\nSuites: {recipe.codename}\nComponents: main\n{signed}"
        for uri, release, component in entries
        if component == "main" and release in names
    )
    if not text:
        raise UnavailableError("apt has no source of Debian packages here (deb ... main)")
    return text


def _call(command: Sequence[str], what: str, environment: dict[str, str] | None = None) -> str:
    """Run a client of a registry and return what it prints."""
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=True, timeout=_SECONDS, env=environment)
    except FileNotFoundError as error:
        raise UnavailableError(f"{what} cannot be had: {command[0]} is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(f"{what} cannot be had: {command[0]} did not end within {_SECONDS} seconds") from error
    except subprocess.CalledProcessError as error:
        said = [line for line in error.stderr.strip().splitlines() if line.startswith(("E:", "ERROR:", "/"))]
        raise UnavailableError(f"{what} cannot be had: {(said or [f'exit code {error.returncode}'])[-1]}") from error
    return result.stdout
