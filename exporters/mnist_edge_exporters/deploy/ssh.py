"""One host over the system's OpenSSH, with the user's own configuration: what is sent, what comes back, why it ends."""

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

from ..installer.deployment import MARK

__all__ = ["Channel"]

# What runs on the host, in the order in which the modules need each other.
_MODULES = (
    "mnist_edge_exporters.installer.__init__",
    "mnist_edge_exporters.installer.checks",
    "mnist_edge_exporters.installer.versions",
    "mnist_edge_exporters.installer.service",
    "mnist_edge_exporters.installer.transaction",
    "mnist_edge_exporters.installer.deployment",
)
_PROGRAM = """\
import sys, types
for name, source in {sources!r}:
    name, is_package, _ = name.partition(".__init__")
    module = sys.modules[name] = types.ModuleType(name)
    module.__package__ = name if is_package else name.rpartition(".")[0]
    exec(compile(source, name, "exec"), module.__dict__)
module.main({order!r})
"""
_REMOTE = ["python3", "-I", "-c", "import sys; exec(sys.stdin.buffer.read(int(sys.stdin.buffer.readline())))"]
_CONNECT_SECONDS = 30
_GRACE = 60.0  # seconds that a host has to undo what it did
_OPTIONS = {
    "BatchMode": "yes",  # it never asks
    "ConnectTimeout": str(_CONNECT_SECONDS),
    "ServerAliveInterval": "15",
    "ControlMaster": "no",  # a master that stays would keep our pipes open
    "ClearAllForwardings": "yes",
    "RemoteCommand": "none",
}
_CHUNK = 1 << 16


class Channel:
    """A connection to one host, whose answers are read while anybody may stop it."""

    def __init__(self, host: str, order: Mapping[str, Any], ssh_config: Path | None) -> None:
        self._host = host
        self._order = dict(order)
        self._has_answered = False
        options = [word for name, value in _OPTIONS.items() for word in ("-o", f"{name}={value}")]
        config = ["-F", str(ssh_config)] if ssh_config else []
        command = ["ssh", *config, "-T", *options, "--", host, shlex.join(_REMOTE)]
        # A socket, since one thread may shut it down while another waits in it.
        self._input, theirs = socket.socketpair()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 -- closed by close
        with theirs:
            # In a session of its own, so that Ctrl-C reaches the hosts as a word and not as a broken connection.
            self._process = subprocess.Popen(
                command, stdin=theirs.fileno(), stdout=subprocess.PIPE, stderr=self._errors, start_new_session=True
            )
        self._killer = threading.Timer(_GRACE, self._process.kill)
        self._killer.daemon = True

    def send(self, data: bytes | memoryview) -> None:
        """Send the bytes; that they do not arrive shows in the answers."""
        with contextlib.suppress(OSError):
            self._input.sendall(data)

    def stop(self, *, at_once: bool = False) -> None:
        """Tell the host that nobody waits for it, so that it undoes what it did; from any thread, at any time."""
        with contextlib.suppress(OSError):
            self._input.shutdown(socket.SHUT_WR)
        if at_once:
            self._process.kill()
        with contextlib.suppress(RuntimeError):  # it was stopped before
            self._killer.start()

    def answers(self) -> Iterator[dict[str, Any]]:
        """Start the program there, and return what it says until it ends; what a shell prints beside it is left out."""
        program = _PROGRAM.format(sources=list(_sources()), order=self._order).encode()
        self.send(b"%d\n" % len(program) + program)
        assert self._process.stdout
        for line in self._process.stdout:
            if line.startswith(MARK):
                self._has_answered = True
                with contextlib.suppress(ValueError):  # cut short
                    yield json.loads(line.removeprefix(MARK))

    def why(self) -> str:
        """Return why the connection ended before the host had said how it went."""
        code = self._process.wait()
        self._errors.seek(0)
        lines = [line.strip() for line in self._errors.read().decode(errors="replace").splitlines() if line.strip()]
        said = " ".join(lines)
        if "IDENTIFICATION HAS CHANGED" in said:
            return (
                "its host key is not the one that is known; if it was set up anew, forget the old one with "
                f"ssh-keygen -R and its name, and log in once: ssh {self._host}"
            )
        if "Host key verification failed" in said:
            return f"its host key is not known; log in once and compare it: ssh {self._host}"
        if "Permission denied" in said:
            return f"it lets nobody in without a question; give it a key: ssh-copy-id {self._host}"
        if code == 127:
            return "there is no python3 on it; install the package python3"
        last = lines[-1] if lines else f"ssh ended with exit code {code}"
        if code == 255 and self._has_answered:
            return f"the connection was lost ({last}); deploy to it again"
        return f"{last}; try by hand: ssh {self._host}" if code == 255 else last

    def close(self) -> None:
        """End the connection, and wait until it has ended."""
        self.stop()
        self._process.wait()
        self._killer.cancel()
        assert self._process.stdout
        for each in (self._process.stdout, self._errors, self._input):
            each.close()


def _sources() -> Iterator[tuple[str, str]]:
    package = files("mnist_edge_exporters")
    for module in _MODULES:
        path = module.split(".")[1:]
        yield module, package.joinpath(*path[:-1], f"{path[-1]}.py").read_text()
