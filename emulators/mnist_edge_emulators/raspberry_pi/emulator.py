"""A command on a board: proot gives it the board's files and qemu its processor, in it and in all that it starts."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import cache, packages
from .boards import EMULATOR, Board
from .errors import UnavailableError, UsageError

__all__ = ["HOME", "HOST", "HOST_LIBRARIES", "HOST_LOADER", "READER", "RUNTIME", "Device", "emulator"]

HOME = "/home/pi"
READER = "/opt/reader"
RUNTIME = "/opt/runtime"
HOST = "/host-rootfs"  # where proot shows this machine's files to qemu
HOST_LIBRARIES = "usr/lib/x86_64-linux-gnu"
HOST_LOADER = "lib64/ld-linux-x86-64.so.2"
_NETWORK = ("/etc/resolv.conf", "/etc/hosts")


def emulator() -> Path:
    """Return the folder with proot and qemu.

    Raises:
        UnavailableError: its packages cannot be had, or this machine is none of the kind they are for.
    """
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        raise UnavailableError(f"boards are emulated on Linux x86_64, this is {platform.system()} {platform.machine()}")

    def make(new: Path) -> None:
        archives = packages.debian(EMULATOR, new / "apt")
        packages.unpack(archives, new / "root")
        packages.discard(new / "apt")

    return cache.kept(EMULATOR.folder, make) / "root"


@dataclass(frozen=True)
class Device:
    """A board that commands can be run on.

    Attributes:
        board: which.
        root: its file system.
        emulator: the folder with proot and qemu.
        runtime: the unpacked wheel of the runtime; None while the board is made.
    """

    board: Board
    root: Path
    emulator: Path
    runtime: Path | None = None

    def command(
        self,
        command: Sequence[str],
        *,
        home: Path,
        directory: str | None = None,
        binds: Sequence[tuple[Path, str]] = (),
        environment: Mapping[str, str] | None = None,
        qemu_options: Sequence[str] = (),
        offline: bool = False,
    ) -> list[str]:
        """Return the command of this machine that runs `command` on the board.

        Args:
            command: as one types it on the board.
            home: what the board shows as /home/pi.
            directory: where it starts, /home/pi by default.
            binds: files or folders of this machine, and where the board shows them.
            environment: variables beside HOME, PATH and LANG; none of this machine's gets through.
            qemu_options: more options of qemu.
            offline: without any network.

        Raises:
            UnavailableError: the kernel allows no network of one's own.
            UsageError: the cache's path has a space in it.
        """
        variables = {"HOME": HOME, "PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", **(environment or {})}
        shown = [
            *((Path(path), path) for path in ("/proc", "/dev", "/tmp")),
            (self.root / "etc" / "cpuinfo", "/proc/cpuinfo"),
            *((Path(path), path) for path in _NETWORK if os.path.exists(path)),
            (home, HOME),
            *([(self.runtime, RUNTIME)] if self.runtime else []),
            *binds,
        ]
        return [
            *(_without_network() if offline else ()),
            *(sys.executable, str(Path(__file__).with_name("withhold.py"))),
            *("env", "--ignore-environment", *(f"{name}={value}" for name, value in variables.items())),
            *self._host("usr/bin/proot"),
            *("-r", str(self.root), "-w", directory or HOME),
            *(part for path, place in shown for part in ("-b", f"{path}:{place}")),
            *("-q", self._qemu(qemu_options)),
            # proot forgets a signal that ended its own child; a shell does not.
            *("/bin/sh", "-c", '"$@"; exit $?', "sh", *command),
        ]

    def _host(self, program: str) -> list[str]:
        """Return the start of a command of the emulator's folder, which has libraries and a loader of its own."""
        return [
            str(self.emulator / HOST_LOADER),
            *("--library-path", str(self.emulator / HOST_LIBRARIES)),
            str(self.emulator / program),
        ]

    def _qemu(self, options: Sequence[str]) -> str:
        loader, option, libraries, program = self._host(f"usr/bin/{self.board.qemu}")
        words = [loader, option, f"{HOST}{libraries}", f"{HOST}{program}", "-cpu", self.board.cpu, *options]
        if any(" " in word for word in words):
            raise UsageError(f"proot wants a path without spaces, not {cache.folder()} (MNIST_EDGE_BOARDS sets it)")
        return " ".join(words)


def _without_network() -> list[str]:
    unshare = ["unshare", "--net", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    try:
        subprocess.run([*unshare, "true"], capture_output=True, text=True, check=True)
    except FileNotFoundError as error:
        raise UnavailableError("a network cannot be cut off: unshare (util-linux) is not installed") from error
    except subprocess.CalledProcessError as error:
        raise UnavailableError(f"a network cannot be cut off: {error.stderr.strip()}") from error
    return unshare
