"""Which hosts: from the command line and from a file, each once."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mnist_edge_runtime import InputError, UsageError

__all__ = ["read_hosts"]


def read_hosts(named: Sequence[str], file: Path | None) -> list[str]:
    """Return the hosts that were named, then those of the file: one a line, nothing behind a #.

    Raises:
        UsageError: there is none, one is there twice, or is none that ssh could take.
        InputError: the file cannot be read.
    """
    hosts = [*named, *(_lines(file) if file else ())]
    if not hosts:
        raise UsageError("no host; name them as ssh takes them, or in a file with --hosts")
    for host in hosts:
        if not host or host.startswith("-") or not host.isprintable() or " " in host:
            raise UsageError(f"{host!a} is no host; name it as ssh takes it: pi@raspberrypi.local")
        if hosts.count(host) > 1:
            raise UsageError(f"{host} is named twice; once is enough")
    return hosts


def _lines(file: Path) -> list[str]:
    try:
        lines = file.read_text().splitlines()
    except UnicodeDecodeError:
        raise InputError(f"{file}: no text; expected one host a line") from None
    return [host for line in lines if (host := line.partition("#")[0].strip())]
