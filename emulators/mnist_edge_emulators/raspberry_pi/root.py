"""Make a board's root folder from Debian's packages and wheels; it is kept in the user's cache."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

from .. import cache, debian
from ..board import Board
from ..errors import EmulatorError
from . import wheels
from .device import HOME, READER, RUNTIME, Device, emulator

__all__ = ["device", "versions"]

_COMMAND = f"""#!{READER}/bin/python3
import sys
from mnist_edge_runtime.__main__ import main
sys.exit(main())
"""


def device(board: Board, say: Callable[[str], None] = lambda sentence: None) -> Device:
    """Return a board ready to run commands, made first where it is not in the cache.

    Args:
        board: its description.
        say: called with a sentence before each step of making it.

    Raises:
        UnavailableError: packages are not available.
        EmulatorError: they cannot be installed, or the runtime's wheel cannot be built.
    """
    tools = emulator()

    def make(new: Path) -> None:
        say(f"{board.name}: fetching packages of Debian {board.codename} and wheels")
        archives = debian.download(board, new / "apt")
        wheels.download(board, new / "wheels")
        say(f"{board.name}: unpacking them")
        root = new / "root"
        debian.unpack(archives, root)
        _finish(board, root)
        say(f"{board.name}: installing the wheels with its own pip")
        _install(Device(board, root, tools), new / "wheels")
        found = {"debian": [unquote(file.stem.rpartition("_")[0]) for file in archives], "wheels": sorted(board.wheels)}
        (new / "packages.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
        for name in ("apt", "wheels", "pip"):
            shutil.rmtree(new / name)

    root = cache.cached(board.folder, make) / "root"
    return Device(board, root, tools, wheels.runtime())


def versions(device: Device) -> dict[str, str]:
    """Return the version of each package on a board that instruction counts may depend on."""
    found = json.loads((device.root.parent / "packages.json").read_text(encoding="utf-8"))
    system = dict(text.split("_", 1) for text in found["debian"])
    names = [f"python{device.board.python}", "libc6", *(name for name in system if name == "python3-numpy")]
    return {**{name: system[name] for name in names}, **dict(text.split("==") for text in found["wheels"])}


def _finish(board: Board, root: Path) -> None:
    """Write the files that maintainer scripts, the kernel and a person would have written."""
    for name, target in {"usr/bin/sh": "dash", **board.links}.items():
        if not (root / name).exists():
            (root / name).symlink_to(target)
    for name in ("proc", "dev", "tmp", "home/pi", "opt/runtime", "usr/local/bin", "sys/devices/system/cpu"):
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "etc" / "cpuinfo").write_text(board.cpuinfo)  # the emulator shows it as /proc/cpuinfo
    for name in ("possible", "present", "online"):
        (root / "sys" / "devices" / "system" / "cpu" / name).write_text("0-3\n")
    authorities = sorted((root / "usr" / "share" / "ca-certificates" / "mozilla").glob("*.crt"))
    bundle = root / "etc" / "ssl" / "certs" / "ca-certificates.crt"
    bundle.write_text("".join(file.read_text(encoding="utf-8") for file in authorities), encoding="utf-8")
    (root / "etc" / "passwd").write_text(f"root:x:0:0:root:/root:/bin/sh\npi:x:1000:1000:pi:{HOME}:/bin/sh\n")
    (root / "etc" / "group").write_text("root:x:0:\npi:x:1000:\n")


def _install(bare: Device, downloaded: Path) -> None:
    """Install the wheels on the board as the runtime's README has it, into the environment /opt/reader."""
    pip = downloaded.with_name("pip")
    with zipfile.ZipFile(next(bare.root.glob("usr/share/python-wheels/pip-*.whl"))) as archive:
        archive.extractall(pip)
    options = ["--system-site-packages"] if bare.board.system_site_packages else []
    index = ["--no-index", "--find-links", "/wheels", "--no-compile", "--quiet", "--disable-pip-version-check"]
    with tempfile.TemporaryDirectory() as home:
        for command in (
            # With the system's pip: to install one in the environment takes half a minute under qemu.
            ["python3", "-m", "venv", "--without-pip", *options, READER],
            [f"{READER}/bin/python3", "/pip/pip", "install", *index, *bare.board.wheels],
        ):
            line = bare.command(command, home=Path(home), binds=[(downloaded, "/wheels"), (pip, "/pip")])
            result = subprocess.run(line, capture_output=True, text=True, check=False)
            if result.returncode:
                raise EmulatorError(f"{' '.join(command)} failed on {bare.board.name}: {result.stderr.strip()}")
    reader = bare.root / READER.lstrip("/")
    # The runtime changes more often than the rest, so it is bound at RUNTIME, and a .pth file names that place.
    (reader / "lib" / f"python{bare.board.python}" / "site-packages" / "mnist_edge_runtime.pth").write_text(RUNTIME)
    (reader / "bin" / "mnist-edge-runtime").write_text(_COMMAND)
    (reader / "bin" / "mnist-edge-runtime").chmod(0o755)
    (bare.root / "usr" / "local" / "bin" / "mnist-edge-runtime").symlink_to(f"{READER}/bin/mnist-edge-runtime")
