"""Run the installer on one host through the system's OpenSSH, with the user's own configuration."""

from __future__ import annotations

import contextlib
import json
import shlex
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from .. import installer
from ..installer.deployment import MARK
from .hosts import Host

__all__ = ["Channel"]

# The host imports the installer from a dictionary of sources, whatever they need of each other.
_PROGRAM = """\
import sys
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.util import spec_from_loader

sources = {sources!r}

class Finder(MetaPathFinder, InspectLoader):
    def find_spec(self, name, path, target=None):
        return spec_from_loader(name, self) if name in sources else None

    def is_package(self, name):
        return name == "installer"

    def get_source(self, name):
        return sources[name]

sys.meta_path.insert(0, Finder())
from installer.deployment import main
main({order!r})
"""
_REMOTE = ["python3", "-I", "-c", "import sys; exec(sys.stdin.buffer.read(int(sys.stdin.buffer.readline())))"]
_CONNECT_SECONDS = 30
_GRACE = 60.0  # seconds that a host has for its rollback
_OPTIONS = {
    "BatchMode": "yes",  # ssh never asks
    "ConnectTimeout": str(_CONNECT_SECONDS),
    "ServerAliveInterval": "15",
    "ControlMaster": "no",  # a master that stays would keep our pipes open
    "ClearAllForwardings": "yes",
    "RemoteCommand": "none",
}


class Channel:
    """A connection to one host: one thread reads its answers, any thread may stop it."""

    def __init__(self, host: Host, order: Mapping[str, Any], ssh_config: Path | None) -> None:
        self._host = host
        self._order = dict(order)
        self._has_answered = False
        options = [word for name, value in _OPTIONS.items() for word in ("-o", f"{name}={value}")]
        self._config = ["-F", str(ssh_config)] if ssh_config else []
        command = ["ssh", *self._config, "-T", *options, *host.options, "--", host.destination, shlex.join(_REMOTE)]
        # A socket, since one thread may shut it down while another waits in it.
        self._input, theirs = socket.socketpair()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 -- closed by close
        with theirs:
            # In a session of its own: Ctrl-C reaches the hosts as the end of their input, not as a broken connection.
            self._process = subprocess.Popen(
                command, stdin=theirs.fileno(), stdout=subprocess.PIPE, stderr=self._errors, start_new_session=True
            )
        self._killer = threading.Timer(_GRACE, self._process.kill)
        self._killer.daemon = True

    def send(self, data: bytes | memoryview) -> None:
        """Send the bytes; if they do not arrive, the answers end."""
        with contextlib.suppress(OSError):
            self._input.sendall(data)

    def stop(self, *, immediately: bool = False) -> None:
        """End the host's input, which triggers its rollback; from any thread, at any time.

        Args:
            immediately: end the connection as well, without waiting for a rollback.
        """
        with contextlib.suppress(OSError):
            self._input.shutdown(socket.SHUT_WR)
        if immediately:
            self._process.kill()
        with contextlib.suppress(RuntimeError):  # it was stopped before
            self._killer.start()

    def answers(self) -> Iterator[dict[str, Any]]:
        """Start the installer there, and yield its answers until it ends; other output of the login is ignored."""
        program = _PROGRAM.format(sources=_sources(), order=self._order).encode()
        self.send(b"%d\n" % len(program) + program)
        assert self._process.stdout
        for line in self._process.stdout:
            if line.startswith(MARK):
                self._has_answered = True
                with contextlib.suppress(ValueError):  # cut short
                    yield json.loads(line.removeprefix(MARK))

    def why(self) -> str:
        """Return why the connection ended before the host had reported an outcome."""
        code = self._process.wait()
        self._errors.seek(0)
        lines = [line.strip() for line in self._errors.read().decode(errors="replace").splitlines() if line.strip()]
        said = " ".join(lines)
        if "IDENTIFICATION HAS CHANGED" in said:
            return (
                "its host key is not the one that is known; if it was reinstalled, forget the old one with "
                f"ssh-keygen -R and its name, and log in once: {self._by_hand()}"
            )
        if "Host key verification failed" in said:
            return f"its host key is not known; log in once and compare it: {self._by_hand()}"
        if "Permission denied" in said:
            return f"it does not accept a key of yours; give it one: {self._by_hand('ssh-copy-id')}"
        if code == 127:
            return "there is no python3 on it; install the package python3"
        last = lines[-1] if lines else f"ssh ended with exit code {code}"
        if code == 255 and self._has_answered:
            return f"the connection was lost ({last}); repeat the command"
        return f"{last}; try by hand: {self._by_hand()}" if code == 255 else last

    def _by_hand(self, program: str = "ssh") -> str:
        return self._host.by_hand(program, self._config)

    def close(self) -> None:
        """End the connection, and wait until it has ended."""
        self.stop()
        self._process.wait()
        self._killer.cancel()
        assert self._process.stdout
        for each in (self._process.stdout, self._errors, self._input):
            each.close()


def _sources() -> dict[str, str]:
    """Return the source of every module of the installer by its name on the host."""
    modules = {file.name: file.read_text() for file in files(installer).iterdir() if file.name.endswith(".py")}
    return {f"installer.{name[:-3]}".removesuffix(".__init__"): source for name, source in sorted(modules.items())}
