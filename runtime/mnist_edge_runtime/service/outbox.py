"""Keep readings on disk until a broker has acknowledged them."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import InputError

__all__ = ["MOST_BYTES", "MOST_MESSAGES", "Message", "Outbox"]

MOST_MESSAGES = 10_000
MOST_BYTES = 16_000_000  # of all messages; the file needs about a tenth more, and its journal up to 4 MB
_VERSION = 1  # of the file's tables
_HEADER, _MARK_AT = b"SQLite format 3\0", 68  # the first bytes of a database; where in them the next number is
_MARK = int.from_bytes(b"mEob", "big")  # whose database it is
_TABLES = f"""
BEGIN;
CREATE TABLE waiting (number INTEGER PRIMARY KEY, message BLOB NOT NULL);
CREATE TABLE state (name TEXT NOT NULL, number INTEGER NOT NULL, dropped INTEGER NOT NULL, value TEXT);
INSERT INTO state VALUES ('{{name}}', 0, 0, NULL);
PRAGMA application_id = {_MARK};
PRAGMA user_version = {_VERSION};
COMMIT;
"""


class Message(NamedTuple):
    """A reading that waits: its number, from 1, and the JSON that is published."""

    number: int
    payload: bytes


class Outbox:
    """A bounded queue in a file, which survives the end of the process at any moment: each change is a transaction.

    A message has an id, made of the outbox's name and a number that rises by one. The oldest are dropped first, but
    not the one that was handed out last and is not yet acknowledged: it may have been delivered.

    Attributes:
        file: where it is.
        name: eight random characters, made with the file.
    """

    def __init__(
        self,
        file: Path,
        *,
        most_messages: int = MOST_MESSAGES,
        most_bytes: int = MOST_BYTES,
        tell: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        """Open the outbox, or make it.

        Raises:
            InputError: another process uses it, or the file is none, or one of another version.
            OSError: it cannot be made.
        """
        self.file, self._most = file, (most_messages, most_bytes)
        self._lock = threading.Lock()
        self._handed_out = self._unsaved = 0
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))  # an error here says more than one of SQLite's
        with open(file, "rb") as stream:
            header = stream.read(_MARK_AT + 4)
        if header and not header.startswith(_HEADER):
            raise InputError(self._of_others())
        try:
            self._open()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise InputError(self._describe(error)) from None
            self._connection.close()
            if header[_MARK_AT:] != _MARK.to_bytes(4, "big"):
                raise InputError(self._of_others()) from None
            aside = file.with_name(f"{file.name}.damaged")
            for ending in ("-wal", "-journal"):
                file.with_name(f"{file.name}{ending}").unlink(missing_ok=True)
            os.replace(file, aside)
            tell(f"{file} is damaged: readings that waited in it are not sent; it is now {aside}")
            os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
            self._open()
        (self.name,) = self._row("SELECT name FROM state")

    def _open(self) -> None:
        # Its own transactions; SQLite syncs each one to the disk before it returns.
        self._connection = sqlite3.connect(self.file, timeout=1, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        (version,), (mark,) = self._row("PRAGMA user_version"), self._row("PRAGMA application_id")
        (tables,) = self._row("SELECT COUNT(*) FROM sqlite_master")
        if (version, mark) != (_VERSION, _MARK) and (version, mark, tables) != (0, 0, 0):
            self._connection.close()
            raise InputError(self._of_others())
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        if version == 0:
            self._connection.executescript(_TABLES.format(name=os.urandom(4).hex()))
        elif self._row("PRAGMA quick_check") != ("ok",):
            raise sqlite3.DatabaseError("it is damaged")

    def close(self) -> None:
        """Close the file; what waits in it is kept."""
        with self._lock:
            self._connection.close()

    def __len__(self) -> int:
        """Return the number of messages that wait."""
        with self._lock:
            return int(self._row("SELECT COUNT(*) FROM waiting")[0])

    @property
    def dropped(self) -> int:
        """The number of readings that were dropped since the file was made."""
        with self._lock:
            return self._unsaved + int(self._row("SELECT dropped FROM state")[0])

    def put(self, reading: Mapping[str, Any]) -> None:
        """Add a reading, which is on the disk when this returns; drop the oldest ones where it is full.

        The message is the reading with its `id` and the `value`: the text of the newest accepted one.

        Raises:
            InputError: it cannot be written; the reading is counted as dropped.
        """
        with self._lock:
            try:
                with self._transaction():
                    self._add(reading)
            except sqlite3.Error as error:
                self._unsaved += 1
                raise InputError(self._describe(error)) from None
            self._unsaved = 0

    def _add(self, reading: Mapping[str, Any]) -> None:
        last, value = self._row("SELECT number, value FROM state")
        number, value = last + 1, reading["text"] if reading["accepted"] else value
        message = json.dumps({"id": f"{self.name}-{number}", **reading, "value": value}, allow_nan=False)
        execute = self._connection.execute
        execute("INSERT INTO waiting VALUES (?, ?)", (number, message.encode()))
        execute("UPDATE state SET number = ?, value = ?, dropped = dropped + ?", (number, value, self._unsaved))
        count, size = self._row("SELECT COUNT(*), SUM(LENGTH(message)) FROM waiting")
        while count > self._most[0] or size > self._most[1]:
            oldest = self._row(
                "SELECT number, LENGTH(message) FROM waiting WHERE number NOT IN (?, ?) ORDER BY number LIMIT 1",
                (self._handed_out, number),
            )
            if oldest is None:
                break
            execute("DELETE FROM waiting WHERE number = ?", oldest[:1])
            execute("UPDATE state SET dropped = dropped + 1")
            count, size = count - 1, size - oldest[1]

    def oldest(self) -> Message | None:
        """Return the oldest message that waits, with the number of those `dropped` so far; None where none waits.

        Raises:
            InputError: it cannot be read.
        """
        with self._lock:
            try:
                found = self._row("SELECT number, message FROM waiting ORDER BY number LIMIT 1")
                (dropped,) = self._row("SELECT dropped FROM state")
            except sqlite3.Error as error:
                raise InputError(self._describe(error)) from None
            if found is None:
                return None
            self._handed_out, message = found
            payload = {**json.loads(message), "dropped": dropped + self._unsaved}
            return Message(self._handed_out, json.dumps(payload, allow_nan=False).encode())

    def acknowledge(self, message: Message) -> None:
        """Remove a message that the broker has.

        Raises:
            InputError: it cannot be written.
        """
        with self._lock:
            try:
                with self._transaction():
                    self._connection.execute("DELETE FROM waiting WHERE number = ?", (message.number,))
            except sqlite3.Error as error:
                raise InputError(self._describe(error)) from None

    def _row(self, statement: str, values: tuple[Any, ...] = ()) -> Any:
        return self._connection.execute(statement, values).fetchone()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def _of_others(self) -> str:
        return f"{self.file} is no outbox, or one of another version; name another file"

    def _describe(self, error: sqlite3.Error) -> str:
        if "locked" in str(error):
            return f"{self.file} is used by another process; give each one a file of its own"
        return f"{self.file}: {error}; readings cannot be kept there"
