"""Run commands on a board: proot shows them the board's files and qemu is their processor, children included."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mnist_edge_runtime.errors import UsageError

from .. import cache, debian
from ..board import Board
from ..errors import UnavailableError
from .boards import EMULATOR

__all__ = ["HOME", "HOST", "READER", "RUNTIME", "Device", "emulator"]

HOME = "/home/pi"
READER = "/opt/reader"
RUNTIME = "/opt/runtime"
HOST = "/host-rootfs"  # path under which proot shows this machine's files to qemu
_NETWORK = ("/etc/resolv.conf", "/etc/hosts")


def emulator() -> Path:
    """Return the root folder with proot and qemu.

    Raises:
        UnavailableError: its packages are not available, or this machine is not Linux on x86_64.
    """
    return debian.programs(EMULATOR, "boards")


@dataclass(frozen=True)
class Device:
    """A board that commands can be run on.

    Attributes:
        board: its description.
        root: its root folder.
        emulator: the root folder with proot and qemu.
        runtime: folder with the unpacked wheel of the runtime; None while the board is made.
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
            command: the command as typed on the board.
            home: folder of this machine that is /home/pi on the board.
            directory: working directory on the board, /home/pi by default.
            binds: files or folders of this machine, and their paths on the board.
            environment: variables beside HOME, PATH and LANG; this machine's are not passed on.
            qemu_options: additional options of qemu.
            offline: cut off the network.

        Raises:
            UnavailableError: the kernel does not let this user make a network namespace.
            UsageError: the cache's path has a space in it.
        """
        variables = {"HOME": HOME, "PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", **(environment or {})}
        # proot would run programs for this machine's architecture on its own processor.
        variables["PROOT_FORCE_FOREIGN_BINARY"] = "1"
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
            *(sys.executable, str(Path(__file__).with_name("seccomp.py"))),
            *("env", "--ignore-environment", *(f"{name}={value}" for name, value in variables.items())),
            *debian.host_command(self.emulator, "proot"),
            *("-r", str(self.root), "-w", directory or HOME),
            *(part for path, place in shown for part in ("-b", f"{path}:{place}")),
            *("-q", self._qemu(qemu_options)),
            # proot reports no signal that ended its own child; a shell does, as 128 + number.
            *("/bin/sh", "-c", '"$@"; exit $?', "sh", *command),
        ]

    def _qemu(self, options: Sequence[str]) -> str:
        loader, option, libraries, program = debian.host_command(self.emulator, self.board.qemu)
        words = [loader, option, f"{HOST}{libraries}", f"{HOST}{program}", "-cpu", self.board.cpu, *options]
        if any(" " in word for word in words):
            raise UsageError(f"proot needs a path without spaces, not {cache.folder()}; set MNIST_EDGE_EMULATORS")
        return " ".join(words)


def _without_network() -> list[str]:
    unshare = ["unshare", "--net", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    try:
        subprocess.run([*unshare, "true"], capture_output=True, text=True, check=True)
    except FileNotFoundError as error:
        raise UnavailableError("the network cannot be cut off: unshare (util-linux) is not installed") from error
    except subprocess.CalledProcessError as error:
        raise UnavailableError(f"the network cannot be cut off: {error.stderr.strip()}") from error
    return unshare
