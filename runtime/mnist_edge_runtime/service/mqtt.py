"""Publish readings to an MQTT broker: from an outbox, one after the other, each until the broker acknowledges it."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping
from time import monotonic
from types import TracebackType
from typing import Any

from ..errors import InputError
from .mqtt_address import Address
from .mqtt_connection import AwayError, Connection, Connector, RefusedError
from .outbox import Message, Outbox

__all__ = ["Publisher"]

_WAITS = (1.0, 60.0)  # seconds from one attempt to connect to the next: the first, and the longest
_JITTER = 0.5  # of a wait, so that the devices of a house do not all come back in the same moment
_LINGER = 5.0  # seconds that the end waits for what can still be sent


class Publisher:
    """A thread that connects, and connects again, and publishes what waits in the outbox.

    A broker that is away is waited for. One that refuses the login, the topic or its own certificate ends the thread,
    unless it has taken a reading before: then it is told, and tried again.

    Attributes:
        failure: what ended the thread; None while it works.
    """

    def __init__(
        self,
        address: Address,
        outbox: Outbox,
        connector: Connector,
        *,
        announcements: Mapping[str, bytes] | None = None,
        tell: Callable[[str], None] = lambda sentence: None,
        waits: tuple[float, float] = _WAITS,
    ) -> None:
        """Prepare a publisher; nothing is sent before it is entered.

        Args:
            address: of broker and topic.
            outbox: where readings wait.
            connector: connects to the broker.
            announcements: further messages, by their topics, that are sent on each connection.
            tell: gets a sentence when the connection is lost, and when it is back.
            waits: seconds between attempts, the first and the longest.
        """
        self.failure: Exception | None = None
        self._address, self._outbox, self._connector, self._tell = address, outbox, connector, tell
        self._announcements, self._waits = announcements or {}, waits
        self._closing = threading.Event()
        self._end = 0.0  # of the monotonic clock, once it is closing
        self._is_proven = False  # the broker has taken a reading
        self._told: str | None = None
        self._thread = threading.Thread(target=self._run, name="mqtt", daemon=True)

    def __enter__(self) -> Publisher:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Send what can be sent within a few seconds, and say how many readings still wait.

        Raises:
            Exception: what ended the thread.
        """
        self._end = monotonic() + _LINGER
        self._closing.set()
        self._thread.join(_LINGER + 1)
        if waiting := len(self._outbox):
            self._tell(f"{self._address.broker}: {_readings(waiting)} kept in {self._outbox.file} for the next start")
        if error is None and self.failure:
            raise self.failure

    def put(self, reading: Mapping[str, Any]) -> None:
        """Add a reading, which is on the disk when this returns; where it cannot be, that is told and counted."""
        try:
            self._outbox.put(reading)
        except InputError as error:
            self._tell_once(str(error))

    def _run(self) -> None:
        wait = self._waits[0]
        try:
            while not self._closing.is_set():
                why = None
                try:
                    connection = self._connector.connect()
                    wait = self._waits[0]
                    why = self._serve(connection)
                except RefusedError as error:
                    if not self._is_proven:
                        raise InputError(f"{self._address.broker}: {error}") from None
                    why = str(error)
                except (AwayError, InputError) as error:  # the second of the outbox, such as a full disk
                    why = str(error)
                if why is None or self._closing.is_set():
                    return
                self._tell_once(f"{self._address.broker}: {why}; readings wait in {self._outbox.file}")
                self._closing.wait(wait * random.uniform(1 - _JITTER, 1))
                wait = min(2 * wait, self._waits[1])
        except Exception as error:  # the thread that puts readings raises it
            self.failure = error

    def _tell_once(self, sentence: str) -> None:
        if sentence != self._told:
            self._told = sentence
            self._tell(sentence)

    def _serve(self, connection: Connection) -> str | None:
        """Publish over a connection until it is lost, and return how; None where the process ends."""
        others = {self._address.availability: b"online", **self._announcements}
        topics = {connection.publish(topic, payload): topic for topic, payload in others.items()}
        if self._told is not None:
            waiting, self._told = len(self._outbox), None
            self._tell(f"{self._address.broker}: connected" + (f"; {_readings(waiting)} to send" if waiting else ""))
        under_way: tuple[int, Message] | None = None
        while True:
            if under_way is None and (message := self._outbox.oldest()):
                under_way = connection.publish(self._address.topic, message.payload), message
            if self._closing.is_set() and (under_way is None or monotonic() > self._end):
                self._say_goodbye(connection)
                return None
            lost = connection.look()
            for number in topics.keys() & connection.acknowledged.keys():
                if refused := connection.acknowledged[number]:
                    self._tell(f"{self._address.broker}: it does not take messages on {topics[number]} ({refused})")
            if under_way and under_way[0] in connection.acknowledged:
                if refused := connection.acknowledged[under_way[0]]:
                    raise RefusedError(f"it does not take readings on the topic {self._address.topic} ({refused})")
                self._outbox.acknowledge(under_way[1])
                self._is_proven, under_way = True, None
            connection.acknowledged.clear()
            if lost:
                return lost

    def _say_goodbye(self, connection: Connection) -> None:
        """Say that readings have ended, which the last will says only of connections that break."""
        number, end = connection.publish(self._address.availability, b"offline"), monotonic() + 1
        while number not in connection.acknowledged and monotonic() < end and not connection.look():
            pass
        connection.close()


def _readings(number: int) -> str:
    return "1 reading" if number == 1 else f"{number:,} readings"
