from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from mnist_edge_runtime.errors import InputError
from mnist_edge_runtime.service.mqtt import Publisher
from mnist_edge_runtime.service.mqtt_address import Address
from mnist_edge_runtime.service.mqtt_connection import Connector
from mnist_edge_runtime.service.mqtt_login import Login
from mnist_edge_runtime.service.outbox import Outbox

if TYPE_CHECKING:
    from tests.runtime.conftest import Broker, Message

Brokers = Callable[..., "Broker"]
TOPIC = "house/meter"
WAITS = (0.05, 0.2)

CHILD = """
import sys
from pathlib import Path
from mnist_edge_runtime.service.mqtt import Publisher
from mnist_edge_runtime.service.mqtt_address import Address
from mnist_edge_runtime.service.mqtt_connection import Connector
from mnist_edge_runtime.service.outbox import Outbox
url, file, first = sys.argv[1:]
address, outbox, number = Address.parse(url), Outbox(Path(file)), int(first)
with Publisher(address, outbox, Connector(address, f"mnist-edge-{outbox.name}")) as publisher:
    while True:
        publisher.put({"text": str(number), "accepted": True})
        print(number, flush=True)
        number += 1
"""


class Told:
    """Sentences, for which a test can wait."""

    def __init__(self) -> None:
        self.all: list[str] = []
        self._changed = threading.Condition()

    def __call__(self, sentence: str) -> None:
        with self._changed:
            self.all.append(sentence)
            self._changed.notify_all()

    def until(self, part: str) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: any(part in sentence for sentence in self.all), 30), self.all


def publisher(broker: Broker, outbox: Outbox, told: Told, **options: Any) -> Publisher:
    address = Address.parse(f"{broker.url}/{TOPIC}")
    login = options.pop("login", Login(broker.USER, broker.PASSWORD) if broker.certificates else None)
    authority = options.pop("authority", broker.certificates and broker.certificates / "authority.pem")
    connector = Connector(address, f"mnist-edge-{outbox.name}", login, authority)
    return Publisher(address, outbox, connector, tell=told, waits=WAITS, **options)


def reading(number: int) -> dict[str, Any]:
    return {"text": str(number), "accepted": True}


def has(text: str) -> Callable[[Message], bool]:
    return lambda message: message.topic == TOPIC and message.json["text"] == text


def readings(messages: list[Message]) -> list[str]:
    """Return the readings in order, once for each id, which always is that of the same reading.

    A subscriber that comes back gets the retained one again.
    """
    found: dict[str, str] = {}
    for message in messages:
        if message.topic == TOPIC:
            assert found.setdefault(message.json["id"], message.json["text"]) == message.json["text"]
    return list(found.values())


def texts(first: int, last: int) -> list[str]:
    return [str(number) for number in range(first, last + 1)]


def test_every_reading_arrives_once_and_in_order_though_the_broker_is_restarted_and_killed(
    brokers: Brokers, certificates: Path, tmp_path: Path
) -> None:
    broker, outbox, told = brokers(certificates), Outbox(tmp_path / "outbox"), Told()
    subscriber = broker.subscribe(f"{TOPIC}/#")
    came: list[Message] = []

    with publisher(broker, outbox, told) as publishing:
        for number in range(1, 31):
            publishing.put(reading(number))
        came += subscriber.until(has("15"))
        broker.stop()  # while more are under way
        for number in range(31, 61):
            publishing.put(reading(number))
        told.until("readings wait in")
        broker.start()
        came += subscriber.until(has("60"))
        told.until("connected; ")

        broker.stop(signal.SIGKILL)
        for number in range(61, 91):
            publishing.put(reading(number))
        broker.start()
        came += subscriber.until(has("90"))
    came += subscriber.until(lambda message: message.payload == b"offline")

    assert readings(came) == texts(1, 90)
    assert len(outbox) == 0
    state = [message.payload for message in came if message.topic == f"{TOPIC}/availability"]
    assert (state[0], state[-1]) == (b"online", b"offline")
    assert not any(broker.PASSWORD in line for line in told.all)


def test_every_reading_arrives_once_and_in_order_though_the_publisher_is_killed(
    brokers: Brokers, tmp_path: Path
) -> None:
    broker = brokers()
    subscriber = broker.subscribe(f"{TOPIC}/#")
    came: list[Message] = []
    said = 0
    for stop in (10, 40, 70):
        command = [sys.executable, "-c", CHILD, f"{broker.url}/{TOPIC}", str(tmp_path / "outbox"), str(said + 1)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            came += subscriber.until(has(str(stop)))
            child.kill()
            assert child.stdout
            printed = child.stdout.read().split()
        came += subscriber.until(lambda message: message.payload == b"offline")  # the last will
        # One more may be in the outbox, or even sent, that the child could not print any more.
        outbox = Outbox(tmp_path / "outbox")
        said = outbox._connection.execute("SELECT number FROM state").fetchone()[0]
        outbox.close()
        assert said - int(printed[-1]) in (0, 1)

    with publisher(broker, Outbox(tmp_path / "outbox"), Told()) as publishing:
        publishing.put(reading(said + 1))
        came += subscriber.until(has(str(said + 1)))

    assert readings(came) == texts(1, said + 1)


def test_a_broker_that_is_away_is_waited_for_and_told_once_and_what_was_dropped_is_published(
    brokers: Brokers, tmp_path: Path
) -> None:
    broker, outbox, told = brokers(), Outbox(tmp_path / "outbox", most_messages=3), Told()
    subscriber = broker.subscribe(TOPIC)
    broker.stop()

    with publisher(broker, outbox, told) as publishing:
        told.until("no broker listens")
        for number in range(1, 11):
            publishing.put(reading(number))
        broker.start()
        came = subscriber.until(has("10"))

    assert readings(came) == texts(8, 10)
    assert {message.json["dropped"] for message in came} == {7}
    away = f"{broker.url}: no broker listens on port {broker.port}; readings wait in {outbox.file}"
    assert told.all == [away, f"{broker.url}: connected; 3 readings to send"]


def test_what_cannot_be_sent_at_the_end_is_told_and_kept(brokers: Brokers, tmp_path: Path) -> None:
    broker, outbox, told = brokers(), Outbox(tmp_path / "outbox"), Told()
    broker.stop()

    with publisher(broker, outbox, told) as publishing:
        told.until("no broker listens")
        publishing.put(reading(1))

    assert told.all[-1] == f"{broker.url}: 1 reading kept in {outbox.file} for the next start"
    assert len(outbox) == 1


def ended(publishing: Publisher) -> str:
    """Return why a publisher ended by itself."""
    publishing.put(reading(1))
    with pytest.raises(InputError) as error, publishing:
        publishing._thread.join(30)
    return str(error.value)


def test_a_refused_login_ends_the_publisher_and_is_not_repeated(
    brokers: Brokers, certificates: Path, tmp_path: Path
) -> None:
    broker, outbox = brokers(certificates), Outbox(tmp_path / "outbox")

    wrong = ended(publisher(broker, outbox, Told(), login=Login(broker.USER, "a secret")))
    none = ended(publisher(broker, outbox, Told(), login=None))

    assert wrong == f"{broker.url}: it refuses the login (Not authorized), with the user and password given"
    assert "with no user and password; give them by --mqtt-login" in none
    assert len(outbox) == 2


def test_a_broker_that_has_taken_readings_is_tried_again_whatever_it_says(
    brokers: Brokers, certificates: Path, tmp_path: Path
) -> None:
    broker, told = brokers(certificates), Told()
    subscriber = broker.subscribe(TOPIC)
    users = tmp_path / "broker0" / "users"

    with publisher(broker, Outbox(tmp_path / "outbox"), told) as publishing:
        publishing.put(reading(1))
        subscriber.until(has("1"))
        known = users.read_text()
        broker.stop()
        users.write_text("")
        broker.start()
        told.until("it refuses the login")
        broker.stop()
        users.write_text(known)
        broker.start()
        publishing.put(reading(2))
        subscriber.until(has("2"))


def test_a_topic_that_the_login_may_not_use_is_told(brokers: Brokers, tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    rules.write_text(f"topic write {TOPIC}/availability\n")
    broker, outbox, told = brokers(None, f"acl_file {rules}"), Outbox(tmp_path / "outbox"), Told()

    why = ended(publisher(broker, outbox, told, announcements={"homeassistant/a": b"{}"}))

    assert why == f"{broker.url}: it does not take readings on the topic {TOPIC} (Not authorized)"
    assert told.all[0] == f"{broker.url}: it does not take messages on homeassistant/a (Not authorized)"
    assert len(outbox) == 1


@pytest.mark.parametrize("authority", [None, "stranger.pem"])
def test_a_certificate_that_is_not_trusted_ends_the_publisher(
    brokers: Brokers, certificates: Path, tmp_path: Path, authority: str | None
) -> None:
    broker = brokers(certificates)
    trusted = certificates / authority if authority else None

    why = ended(publisher(broker, Outbox(tmp_path / "outbox"), Told(), authority=trusted))

    assert why.startswith(f"{broker.url}: its certificate is not trusted: ")
    assert why.endswith("; name the certificate of the authority that signed it with --mqtt-ca")


def test_a_reading_that_cannot_be_kept_is_told_once(brokers: Brokers, tmp_path: Path) -> None:
    broker, outbox, told = brokers(), Outbox(tmp_path / "outbox"), Told()
    publishing = publisher(broker, outbox, told)
    outbox._connection.execute("PRAGMA query_only = ON")

    publishing.put(reading(1))
    publishing.put(reading(2))

    assert told.all == [f"{outbox.file}: attempt to write a readonly database; readings cannot be kept there"]
    assert outbox.dropped == 2
