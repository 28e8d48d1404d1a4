"""Unpacked bundles for this machine whose runtime is a few lines, and what runs their install.sh."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from mnist_edge_exporters.bundle import archive

Sh = Callable[..., "subprocess.CompletedProcess[str]"]


def unpack(bundle: Path, folder: Path) -> Path:
    """Unpack a bundle into a folder, and return the folder `mnist-edge` in it."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["tar", "-xzf", bundle, "-C", folder], check=True)
    return folder / archive.FOLDER


def variant(unpacked: Path, folder: Path, changes: Mapping[str, bytes]) -> Path:
    """Return another bundle whose SHA256SUMS is right: the files of `unpacked`, some of them changed."""
    shutil.copytree(unpacked, folder, copy_function=os.link)
    for name, data in changes.items():
        (folder / name).unlink(missing_ok=True)
        (folder / name).write_bytes(data)
    members = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != archive.SUMS
    }
    (folder / archive.SUMS).unlink()
    (folder / archive.SUMS).write_bytes(archive.sha256_sums(members))
    return folder


def environment(bundle: Path) -> dict[str, str]:
    """Return variables for its install.sh: this Python as python3, and a home beside the bundle."""
    python = bundle.parent / "python" / "python3"
    python.parent.mkdir(exist_ok=True)
    if not python.is_symlink():
        version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
        python.symlink_to(Path(sys.base_prefix, "bin", version))
    return {"PATH": f"{python.parent}:/usr/bin:/bin", "HOME": str(bundle.parent / "home")}


def sh(
    bundle: Path, *arguments: object, code: int = 0, before: list[str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run its install.sh, expect the exit code and one line on stdout if it is 0, and never a traceback."""
    command = [*(before or []), "sh", str(bundle / "install.sh"), *map(str, arguments)]
    result = subprocess.run(command, env=environment(bundle), capture_output=True, text=True, check=False)
    assert result.returncode == code, result.stdout + result.stderr
    assert "Traceback" not in result.stderr
    assert len(result.stdout.splitlines()) == (code == 0)
    return result


def tree(folder: Path) -> dict[str, object]:
    """Return all that is there, but what Python has compiled."""
    return {
        str(path.relative_to(folder)): os.readlink(path) if path.is_symlink() else path.is_file() and path.read_bytes()
        for path in folder.rglob("*")
        if "__pycache__" not in path.parts
    }


def command(prefix: Path, *arguments: object) -> str:
    """Return what the installed command prints."""
    words = [str(prefix / "current" / "bin" / "mnist-edge-runtime"), *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def unpacked(small: Callable[..., Path], tmp_path: Path) -> Path:
    """Return an unpacked bundle whose self-test passes."""
    return unpack(small(), tmp_path / "device")


@pytest.fixture
def failing(small: Callable[..., Path], tmp_path: Path) -> Path:
    """Return an unpacked bundle whose self-test fails."""
    return unpack(small("bad"), tmp_path / "failing")


@pytest.fixture
def prefix(unpacked: Path) -> Path:
    """Return a prefix with spaces in its name, in which the bundle is installed."""
    prefix = unpacked.parent / "a place"
    sh(unpacked, "--prefix", prefix)
    return prefix
