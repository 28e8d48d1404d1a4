"""Get wheels for a board: those of the package index through this machine's pip, and the runtime's own, built."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from mnist_edge_exporters.bundle import apt
from mnist_edge_runtime import InputError

from .. import cache
from ..board import Board
from ..errors import EmulatorError, UnavailableError

__all__ = ["download", "runtime"]

_RUNTIME = Path(__file__).resolve().parents[3] / "runtime"
_NO_SOURCE = shutil.ignore_patterns("build", "*.egg-info", "__pycache__")


def download(board: Board, folder: Path) -> None:
    """Download a board's wheels into `folder`.

    Raises:
        UnavailableError: there is no pip, or the package index cannot be reached or lacks a wheel.
    """
    platforms = [part for tag in board.platforms for part in ("--platform", tag)]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", "--python-version", board.python, *platforms, "--dest", str(folder)]
    environment = {name: value for name, value in os.environ.items() if name != "PIP_CONSTRAINT"}  # of this Python
    try:
        apt.call([*command, *board.wheels], f"the wheels {', '.join(board.wheels)}", environment=environment)
    except InputError as error:
        raise UnavailableError(str(error)) from None


def runtime() -> Path:
    """Return the folder with the unpacked wheel of this repository's runtime, built where its source has changed.

    Raises:
        EmulatorError: it cannot be built.
    """
    digest = hashlib.sha256()
    for file in sorted(_RUNTIME.rglob("*")):
        if file.is_file() and not {"build", "__pycache__"}.intersection(file.parts) and ".egg-info" not in str(file):
            digest.update(f"{file.relative_to(_RUNTIME)}\0{file.stat().st_size}\0".encode() + file.read_bytes())

    def make(new: Path) -> None:
        # In a copy, since setuptools builds beside the source.
        copy = shutil.copytree(_RUNTIME, new / "source", ignore=_NO_SOURCE)
        build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(new), str(copy)]
        result = subprocess.run(build, capture_output=True, text=True, check=False)
        if result.returncode:
            last = (result.stderr.strip().splitlines() or [f"pip ended with {result.returncode}"])[-1]
            raise EmulatorError(f"the runtime's wheel cannot be built: {last}")
        (wheel,) = new.glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(new / "unpacked")
        shutil.rmtree(copy)

    return cache.cached(f"runtime-{digest.hexdigest()[:12]}", make) / "unpacked"
