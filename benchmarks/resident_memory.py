"""Read how much memory a process of Linux has; imported by scripts that watch whether it grows."""

from __future__ import annotations

from pathlib import Path

__all__ = ["resident_kib"]


def resident_kib(process: int) -> int:
    """Return the resident memory of a process, in KiB."""
    status = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
