"""Name the hosts of a deployment, and how ssh reaches each of them."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mnist_edge_runtime import InputError, UsageError

__all__ = ["Host", "from_names", "is_destination", "read_names"]


@dataclass(frozen=True)
class Host:
    """A host.

    Attributes:
        name: as it was named; what is printed of it.
        destination: what ssh connects to: a name of its configuration or an address, perhaps with a user.
        options: further words for ssh.
    """

    name: str
    destination: str
    options: tuple[str, ...] = ()

    def by_hand(self, program: str = "ssh", configuration: Sequence[str] = ()) -> str:
        """Return the command with which a person logs in there, or gives it a key; `configuration` is words for ssh."""
        return shlex.join([program, *configuration, *self.options, self.destination])


def is_destination(text: str) -> bool:
    """Return whether ssh could take a text as a host, and not as an option."""
    return bool(text) and not text.startswith("-") and text.isprintable() and " " not in text


def read_names(named: Sequence[str], file: Path | None) -> list[str]:
    """Return the names on the command line, then those of the file: one a line, nothing behind a #.

    Raises:
        UsageError: one is there twice, or is none that ssh could take.
        InputError: the file cannot be read.
    """
    names = [*named, *(_lines(file) if file else ())]
    for name in names:
        if not is_destination(name):
            raise UsageError(f"{name!a} is not a host; name it as ssh takes it: pi@raspberrypi.local")
        if names.count(name) > 1:
            raise UsageError(f"{name} is named twice; once is enough")
    return names


def from_names(names: Sequence[str]) -> list[Host]:
    """Return the hosts that ssh knows by these names.

    Raises:
        UsageError: there is none.
    """
    if not names:
        raise UsageError("no host; name them as ssh takes them, or in a file with --hosts")
    return [Host(name, name) for name in names]


def _lines(file: Path) -> list[str]:
    try:
        lines = file.read_text().splitlines()
    except UnicodeDecodeError:
        raise InputError(f"{file}: not a text file; expected one host a line") from None
    return [host for line in lines if (host := line.partition("#")[0].strip())]
