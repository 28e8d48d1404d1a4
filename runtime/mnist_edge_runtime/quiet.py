"""Keep the chatter of engines and converters off the terminal: C++ code writes past Python's own streams."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from .errors import MnistEdgeError

__all__ = ["quiet"]


@contextmanager
def quiet() -> Iterator[None]:
    """Swallow what the block prints on stdout and stderr; when it fails unexpectedly, show all of it on stderr.

    The streams belong to the whole process: for command lines and converters, not for use beside other threads.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    saved = os.dup(1), os.dup(2)
    unexpected = False
    with tempfile.TemporaryFile() as captured:
        for stream in (1, 2):
            os.dup2(captured.fileno(), stream)
        logging.disable(logging.ERROR)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield
        except Exception as error:
            unexpected = not isinstance(error, MnistEdgeError)
            raise
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            logging.disable(logging.NOTSET)
            for stream, copy in enumerate(saved, start=1):
                os.dup2(copy, stream)
                os.close(copy)
            if unexpected:
                captured.seek(0)
                sys.stderr.write(captured.read().decode(errors="replace"))
