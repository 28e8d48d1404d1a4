"""Describe how all hosts are reached: the folder on them, the time that each may take, the configuration of ssh."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mnist_edge_runtime import InputError, UsageError

__all__ = ["Access"]

_LONGEST = 86_400  # seconds


@dataclass(frozen=True)
class Access:
    """How hosts are reached.

    Attributes:
        prefix: the folder on each host; None is the installer's default.
        timeout: seconds that a host may take in all.
        ssh_config: a configuration in place of the user's; None is the user's.

    Raises:
        UsageError: an option is out of range.
        InputError: the configuration cannot be read.
    """

    prefix: str | None = None
    timeout: float = 900.0
    ssh_config: Path | None = None

    def __post_init__(self) -> None:
        if not 0 < self.timeout <= _LONGEST:
            raise UsageError(f"--timeout is {self.timeout:g}, expected seconds above 0, at most {_LONGEST:,}")
        if self.prefix is not None and (not self.prefix.strip() or "\0" in self.prefix):
            raise UsageError("--prefix names no folder; leave it out for the default")
        if self.ssh_config and not self.ssh_config.is_file():
            raise InputError(f"--ssh-config {self.ssh_config}: no such file")
