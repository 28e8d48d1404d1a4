"""The errors of an emulator, part of the product's tree, and the exit code each one gives.

MnistEdgeError             of mnist_edge_runtime.errors
├── UsageError          2  no such board, no command, a cache in a folder with a space in its path
└── EmulatorError       1  something failed on an emulated machine that should work
    ├── UnavailableError 69  something that an emulator needs is not available here: packages, a compiler, a network
    │                        namespace
    └── UnfitError       5  a network needs more memory than the chip has
"""

from __future__ import annotations

from mnist_edge_runtime.errors import MnistEdgeError

__all__ = ["EmulatorError", "UnavailableError", "UnfitError"]


class EmulatorError(MnistEdgeError):
    """Something failed on an emulated machine that should work."""


class UnavailableError(EmulatorError):
    """Something that an emulator needs is not available on this machine; a test skips with the message."""

    exit_code = 69  # EX_UNAVAILABLE of sysexits.h: no command on an emulated machine is likely to end with it


class UnfitError(EmulatorError):
    """A network needs more memory than the chip has."""

    exit_code = 5
