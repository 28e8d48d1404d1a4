"""A model file's bytes: from one regular file, within the size cap, and read once."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from ..errors import InputError, ModelError

__all__ = ["MAX_BYTES", "read"]

MAX_BYTES = 256 * 1024 * 1024
_FORMATS = {".tflite": "tflite", ".onnx": "onnx"}


def read(path: str | Path) -> tuple[bytes, str]:
    """Return the bytes of the model file at `path` and the format that its name stands for, "tflite" or "onnx".

    A link to a regular file is followed. The file is opened once and what is checked is what is run, so that nothing
    comes of exchanging it, or the link, in between.

    Raises:
        InputError: the file cannot be read.
        ModelError: another extension, no regular file, or too large.
    """
    meant = _FORMATS.get(Path(path).suffix.lower())
    if meant is None:
        raise ModelError(
            f"{path}: models end in {' or '.join(_FORMATS)}; make one of a Keras model with: "
            "mnist-edge export --model FILE.keras"
        )
    try:
        # Without waiting: a pipe that nobody writes to would hold the process up for ever.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with open(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise ModelError(f"{path}: leads to no regular file; name the model file itself")
            # No more is asked for than is there: the memory for it is taken before it is read.
            data = b"" if found.st_size > MAX_BYTES else file.read(found.st_size + 1)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; name a .tflite or .onnx file that mnist-edge exported") from None
    if found.st_size > MAX_BYTES or len(data) > MAX_BYTES:
        raise ModelError(f"{path}: larger than {MAX_BYTES >> 20} MiB; such a file was not made by mnist-edge")
    return data, meant
