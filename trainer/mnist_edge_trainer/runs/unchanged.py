"""Make sure that a model file is still the one that was read when something made of it is published."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from mnist_edge_runtime.errors import InputError

from . import locks

__all__ = ["sha256_of", "unchanged"]


def sha256_of(file: Path) -> str:
    """Return the SHA-256 of the bytes of a file; "" where there is none, which whatever reads it says better."""
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""


@contextmanager
def unchanged(file: Path, sha256: str, run: Path | None = None) -> Iterator[None]:
    """Publish within the block what was made of the model `file`, if that has not changed since.

    Args:
        file: the model.
        sha256: from `sha256_of`, before it was loaded.
        run: the folder of its run, which no other process replaces while the block runs.

    Raises:
        InputError: the file was replaced, rewritten or removed.
    """
    with ExitStack() as held:
        if run:
            held.enter_context(locks.publishing(run))
        if sha256_of(file) != sha256:
            how = "replaced" if file.is_file() else "removed"
            again = "repeat the command" if file.is_file() else "look where it went"
            raise InputError(f"{file}: was {how} while this command used it, so it writes nothing more; {again}")
        yield
