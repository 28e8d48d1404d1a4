"""Check the options of `mnist-edge export` that are for source code alone, C or JavaScript."""

from __future__ import annotations

from mnist_edge_runtime.errors import UsageError

from ..spec import SOURCE_FORMATS
from .generate import ROUNDINGS, identifier

__all__ = ["check"]


def check(format: str | None, name: str | None, rounding: str | None, constraints: str | None) -> bool:
    """Return whether source code is asked for.

    Raises:
        UsageError: its options are given without it, are unknown, or do not go with it.
    """
    if format not in SOURCE_FORMATS:
        if name is not None or rounding is not None:
            raise UsageError("--name is for --format c and web, --rounding for c")
        return False
    if constraints is not None:
        raise UsageError(f"--constraints chooses among files that engines run; leave it out for --format {format}")
    if rounding is not None and format != "c":
        raise UsageError(f"--rounding is for --format c; leave it out for {format}")
    if name is not None:
        identifier(name, is_given=True)
    if rounding is not None and rounding not in ROUNDINGS:
        raise UsageError(f"--rounding {rounding} is unknown; choose from {', '.join(ROUNDINGS)}")
    return True
