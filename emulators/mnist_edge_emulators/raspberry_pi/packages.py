"""Debian's packages through this machine's apt sources and wheels through its pip, for another architecture."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from mnist_edge_exporters.bundle import apt
from mnist_edge_runtime import InputError

from .boards import Board, Recipe
from .errors import UnavailableError

__all__ = ["debian", "discard", "unpack", "wheels"]


def debian(recipe: Recipe, folder: Path) -> list[Path]:
    """Download a recipe's packages, and what they depend on, into `folder`; return the .deb files.

    Updates between point releases are left out: boards should not change from day to day.

    Raises:
        UnavailableError: there is no apt, its sources are not Debian's or they cannot be reached.
    """
    names = ", ".join(recipe.packages)
    try:
        options = apt.options(folder, recipe.architecture)
        (folder / "sources" / "debian.sources").write_text(apt.sources(recipe.codename, security=False))
        apt.call(["apt-get", *options, "update"], "Debian's lists of packages")
        install = ["apt-get", *options, "--yes", "--download-only", "install", *recipe.packages]
        apt.call(install, f"the packages {names} of Debian {recipe.codename} for {recipe.architecture}")
    except InputError as error:
        raise UnavailableError(str(error)) from None
    return sorted((folder / "archives").glob("*.deb"))


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
    try:
        apt.call([*command, *board.wheels], f"the wheels {', '.join(board.wheels)}", environment=environment)
    except InputError as error:
        raise UnavailableError(str(error)) from None
