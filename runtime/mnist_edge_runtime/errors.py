"""The errors a user can cause, and the exit code each one gives.

MnistEdgeError
├── UsageError         2  an option or a combination of options that is not offered
├── InputError         3  an image, a data set, a run, a folder: missing, unreadable or of the wrong kind
│   └── BlankError     3  a picture with nothing to read in it; `classify` and `read` are unsure of it instead
├── ModelError         4  a model file that is damaged, unsealed or of another version
│   └── EngineError    4  no engine on this machine can run the file
└── VerificationError  5  parity or the self-test failed, or a constraint is not met

Every message says what was wrong, where, and what to do next.
"""

from __future__ import annotations

import errno

__all__ = [
    "NO_SPACE",
    "BlankError",
    "EngineError",
    "InputError",
    "MnistEdgeError",
    "ModelError",
    "UsageError",
    "VerificationError",
    "describe",
]

NO_SPACE = (errno.ENOSPC, errno.EDQUOT)  # a full disk, or a full share of it


class MnistEdgeError(Exception):
    """Root of all errors that a user can cause."""

    exit_code = 1


class UsageError(MnistEdgeError):
    """An option, or a combination of options, that is not offered."""

    exit_code = 2


class InputError(MnistEdgeError):
    """An image, a data set, a run or a folder that cannot be used."""

    exit_code = 3

    def at(self, place: object) -> InputError:
        """Return the same error, saying first where it was."""
        return type(self)(f"{place}: {self}")


class BlankError(InputError):
    """A picture with nothing to read in it."""


class ModelError(MnistEdgeError):
    """A model file that is damaged, carries no contract or has an unknown version."""

    exit_code = 4


class EngineError(ModelError):
    """No engine on this machine can run the model file."""


class VerificationError(MnistEdgeError):
    """A file answers differently from what it promises, or no file is as good as was asked."""

    exit_code = 5


def describe(error: Exception, command: str = "") -> tuple[str, int]:
    """Return the message and the exit code with which a command line ends on `error`.

    A full disk, a missing permission, too little memory and the like count as bad input (3); anything that is neither
    of these nor a `MnistEdgeError` is our own fault (1). Where usage is wrong, the help of `command` is named.
    """
    if isinstance(error, UsageError) and command:
        return f"{error} (see {command} --help)", error.exit_code
    if isinstance(error, MnistEdgeError):
        return str(error), error.exit_code
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        advice = "; make room and repeat the command" if error.errno in NO_SPACE else ""
        return f"{where}{error.strerror or error}{advice}", InputError.exit_code
    if isinstance(error, MemoryError):
        return "there is not enough memory; end other programs, or take a machine with more", InputError.exit_code
    return f"internal error: {type(error).__name__}: {error} (--debug shows where)", MnistEdgeError.exit_code
