"""The errors a user can cause, and the exit code each one gives.

MnistEdgeError
├── UsageError         2  an option or a combination of options that is not offered
├── InputError         3  an image, a data set, a run, a folder: missing, unreadable or of the wrong kind
│   └── BlankError     3  a picture with nothing to read in it; `classify` and `read` are unsure of it instead
├── ModelError         4  a model file that is damaged, unsealed or of another version
│   └── EngineError    4  no engine on this machine can run the file
└── VerificationError  5  parity or the self-test failed, or a constraint is not met

Every message says what was wrong, where, and what to do next. An error of several lines is made of them.
"""

from __future__ import annotations

import errno
import re

from .text_output import printable

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
    "reason",
]

NO_SPACE = (errno.ENOSPC, errno.EDQUOT)  # a full disk, or a full share of it
_ADVICE = {
    **dict.fromkeys(NO_SPACE, "; make room and repeat the command"),
    errno.EFBIG: "; raise the limit on the size of files (ulimit -f), or the disk's, and repeat the command",
}
_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_IN_A_CALL = re.compile(
    r"Exception encountered when calling [^\n]*\n+(.*?)(?:\n+(?:Call a|A)rguments received by.*)?\Z", re.S
)
# Where Keras goes on with all that it was given, after it has said what is wrong.
_DUMP = re.compile(
    r"(?:\n+config=|\n+List of objects|\s+Full object config:|\s+Target variable:|\s+Received: \{).*", re.S
)
_NO_OPERATOR = re.compile(r"^(?:TF Select|Custom) ops: (.+)$", re.M)
_MLIR_ERROR = re.compile(r"\berror: (?:loc\(.*\): )?(.+)")
_GLUED = re.compile(r"(?<=XNNPACK delegate)(?=\w)")  # where LiteRT puts one message behind another
_LONGEST = 600  # characters
_LINE_BREAK = "\n  "  # between the lines of a message


class MnistEdgeError(Exception):
    """Root of all errors that a user can cause; its arguments are the lines of its message, usually one."""

    exit_code = 1

    def __str__(self) -> str:
        return _LINE_BREAK.join(map(str, self.args))


class UsageError(MnistEdgeError):
    """An option, or a combination of options, that is not offered."""

    exit_code = 2


class InputError(MnistEdgeError):
    """An image, a data set, a run or a folder that cannot be used."""

    exit_code = 3

    def at(self, place: object) -> InputError:
        """Return the same error, saying first where it was."""
        return type(self)(f"{place}: {self.args[0]}", *self.args[1:])


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
    """Return the message, safe to print, and the exit code with which a command line ends on `error`.

    A full disk, a missing permission, too little memory and the like count as bad input (3); anything that is neither
    of these nor a `MnistEdgeError` is our own fault (1). Where usage is wrong, the help of `command` is named. Line
    breaks are the message's own: those in the names that it holds are escaped.
    """
    if isinstance(error, MnistEdgeError):
        message = _LINE_BREAK.join(printable(str(line)) for line in error.args)
        hint = f" (see {command} --help)" if isinstance(error, UsageError) and command else ""
        return f"{message}{hint}", error.exit_code
    message, code = _describe_other(error)
    return printable(message), code


def _describe_other(error: Exception) -> tuple[str, int]:
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        advice = _ADVICE.get(error.errno or 0, "")
        return f"{where}{error.strerror or error}{advice}", InputError.exit_code
    if isinstance(error, MemoryError):
        return "there is not enough memory; end other programs, or take a machine with more", InputError.exit_code
    return f"internal error: {type(error).__name__}: {reason(error)} (--debug shows where)", MnistEdgeError.exit_code


def reason(error: BaseException) -> str:
    """Return in one plain line why a library failed: what it says, without the dumps and the colours around it."""
    text = _GLUED.sub(": ", _ANSI.sub("", str(error)).strip())
    if isinstance(error, KeyError) or not text:
        return _without_words(error, text)
    text = text.rpartition("Exception encountered: ")[2]
    while inner := _IN_A_CALL.search(text):
        text = inner[1]
    missing = list(dict.fromkeys(name for names in _NO_OPERATOR.findall(text) for name in names.split(", ")))
    if missing:
        text = f"TFLite has no operator for {', '.join(missing)}"
    elif " loc(" in text or "MLIR" in text:
        text = "; ".join(dict.fromkeys(_MLIR_ERROR.findall(text))) or text
    line = " ".join((_DUMP.sub("", text) or text).split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."


def _without_words(error: BaseException, text: str) -> str:
    """Return the kind of an error that says no more than a key, or nothing, and the function that it comes from."""
    traceback = error.__traceback__
    while traceback and traceback.tb_next:
        traceback = traceback.tb_next
    frame = traceback.tb_frame if traceback else None
    where = f" in {frame.f_globals.get('__name__')}.{frame.f_code.co_name}" if frame else ""
    return f"{type(error).__name__}{f' {text}' if text else ''}{where}"
