"""Open the storage of a study: a journal file in its folder, or a database."""

from __future__ import annotations

import os
import time
from pathlib import Path

from mnist_edge_runtime.errors import InputError, UsageError
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

__all__ = ["open_storage"]

_JOURNAL = "journal.log"
_ATTEMPTS = 5  # to connect to a database


def open_storage(folder: Path, url: str | None, *, create: bool) -> BaseStorage:
    """Open the journal in the folder, or the database of a URL.

    Args:
        folder: of the study.
        url: of the database, as SQLAlchemy takes it, or None for the journal.
        create: make the folder and an empty journal where there is none.

    Raises:
        InputError: the storage does not exist, is damaged, or cannot be reached.
        UsageError: not a URL, or its driver is not installed.
    """
    if url is not None:
        return _database(url)
    journal = folder.resolve() / _JOURNAL  # absolute, or the lock of a dead worker is never released
    if create:
        folder.mkdir(parents=True, exist_ok=True)
    elif not journal.is_file():
        known = sorted(path.parent.name for path in folder.parent.glob(f"*/{_JOURNAL}"))
        there = f"there are {', '.join(known)}" if known else "none is there yet; begin one with: mnist-edge tune"
        raise InputError(f"{folder.parent}: no study {folder.name!r}; {there}")
    try:
        return JournalStorage(JournalFileBackend(str(journal), lock_obj=_Lock(journal)))
    except (ValueError, KeyError) as error:
        raise InputError(f"{journal}: damaged ({error}); begin another study with --study") from None


def _database(url: str) -> BaseStorage:
    try:
        shown = make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        raise UsageError("--storage: expected a URL such as postgresql://USER@HOST/DATABASE") from None
    attempt = 1
    while True:
        try:
            return RDBStorage(url, engine_kwargs={"pool_pre_ping": True})
        except (ArgumentError, ImportError) as error:
            raise UsageError(f"--storage {shown}: cannot be used, is its driver installed? {error}") from None
        except (DBAPIError, RuntimeError) as error:
            # Workers that start simultaneously all create the tables; all but one fail, and find them at the next try.
            if attempt == _ATTEMPTS:
                raise InputError(f"--storage {shown}: cannot be used: {error}") from None
            time.sleep(0.2 * attempt)
            attempt += 1


class _Lock(JournalFileSymlinkLock):
    """Optuna's lock, for network folders too; removes an unfinished last line of a worker that was killed."""

    def __init__(self, journal: Path) -> None:
        super().__init__(str(journal))
        self._journal = journal

    def acquire(self) -> bool:
        super().acquire()
        try:
            with open(self._journal, "rb+") as file:
                if file.seek(0, os.SEEK_END) and file.seek(-1, os.SEEK_END) and file.read() != b"\n":
                    file.seek(0)
                    file.truncate(file.read().rfind(b"\n") + 1)
        except BaseException:
            self.release()
            raise
        return True
