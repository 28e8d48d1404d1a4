"""What can go wrong before a command runs on a board, and the exit code each one gives.

BoardError            1  what went wrong on a board
├── UsageError        2  no such board, nothing to run, a cache in a folder with a space
└── UnavailableError 69  what a board is made of cannot be had here: packages, a kernel that isolates a network
"""

from __future__ import annotations

__all__ = ["BoardError", "UnavailableError", "UsageError"]


class BoardError(Exception):
    """Root of what is said of boards instead of a traceback; itself where something fails that should work."""

    exit_code = 1


class UsageError(BoardError):
    """A board or an option that there is not."""

    exit_code = 2


class UnavailableError(BoardError):
    """Something that a board needs cannot be had on this machine; a test skips with the message."""

    exit_code = 69  # EX_UNAVAILABLE of sysexits.h; a command on a board hardly ends with it
