"""Connect to an MQTT broker, and say in plain sentences why that failed."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from ..host import Host
from .mqtt_address import Address
from .mqtt_login import PASSWORD, USER, Login

if TYPE_CHECKING:
    from paho.mqtt.client import Client

__all__ = ["AwayError", "Connection", "Connector", "RefusedError"]

_LIBRARY = "paho-mqtt>=2.1,<3"  # as pip takes it
_CONNECT_SECONDS = 10.0  # for a connection, and for the broker's answer to it
_KEEP_ALIVE = 30  # seconds without a message after which the broker is asked whether it is there
_LOOK_SECONDS = 0.2  # that one look for what the broker sent waits
_NO_LOGIN = ("Bad user name or password", "Not authorized", "Bad authentication method")
_NO_MQTT_5 = "Unsupported protocol version"
_OF_THE_CLOCK = (9, 10)  # errors of a certificate: not yet valid, expired; a Pi's clock is wrong until it has a network


class AwayError(Exception):
    """The broker is not there, or not yet."""


class RefusedError(Exception):
    """Something that another attempt does not change: the command line or the broker's settings must."""


class Connector:
    """What is needed to connect to a broker."""

    def __init__(self, address: Address, name: str, login: Login | None = None, authority: Path | None = None) -> None:
        """Prepare connections.

        Args:
            address: of broker and topic.
            name: of this client. A broker takes a new connection of the same name for the one that it replaces, whose
                last will it publishes first.
            login: user and password.
            authority: file with the certificates that are trusted, in place of the system's.

        Raises:
            InputError: paho-mqtt is not installed, or the file holds no certificates.
            OSError: the file cannot be read.
        """
        self._address, self._name, self._login = address, name, login
        self._tls = _tls(authority) if address.is_encrypted else None
        self._mqtt = _library()

    def connect(self) -> Connection:
        """Return a connection that the broker has accepted; it publishes `offline` if the connection breaks.

        Raises:
            AwayError: there is none now.
            RefusedError: the broker does not want it.
        """
        # A new client each time, with no memory of its own: what is to be sent again is known elsewhere.
        client = self._mqtt.Client(
            self._mqtt.CallbackAPIVersion.VERSION2, self._name, protocol=self._mqtt.MQTTv5, reconnect_on_failure=False
        )
        client.connect_timeout = _CONNECT_SECONDS
        client.will_set(self._address.availability, b"offline", qos=1, retain=True)
        if self._login:
            client.username_pw_set(self._login.user, self._login.password)
        if self._tls:
            client.tls_set_context(self._tls)
        connection, started = Connection(client), monotonic()
        try:
            client.connect(self._address.host, self._address.port, _KEEP_ALIVE)
        except OSError as error:
            raise self._worded(error) from None
        while connection.answer is None:
            lost = connection.look()
            if connection.answer is None and lost:
                raise AwayError(f"it closed the connection before it answered{self._hint()}")
            if monotonic() - started > 2 * _CONNECT_SECONDS:
                raise AwayError(f"no MQTT answer within {_CONNECT_SECONDS:g} seconds{self._hint()}")
        if connection.answer:
            raise self._refusal(connection.answer)
        return connection

    def _worded(self, error: OSError) -> AwayError | RefusedError:
        if isinstance(error, ssl.SSLCertVerificationError):
            why = f"its certificate is not trusted: {error.verify_message.rstrip('.')}"
            if error.verify_code in _OF_THE_CLOCK:
                return AwayError(f"{why}; is the clock of this machine right?")
            return RefusedError(f"{why}; name the certificate of the authority that signed it with --mqtt-ca")
        if isinstance(error, ssl.SSLError):
            return AwayError(
                f"no TLS there ({error.reason or error}); brokers have a port of its own for it, often 8883"
            )
        if isinstance(error, socket.gaierror):
            return AwayError(f"the host's name is not found ({error.strerror})")
        if isinstance(error, TimeoutError):
            return AwayError(f"no answer within {_CONNECT_SECONDS:g} seconds")
        if isinstance(error, ConnectionRefusedError):
            return AwayError(f"no broker listens on port {self._address.port}")
        if isinstance(error, ConnectionResetError):
            return AwayError(f"it closed the connection before it answered{self._hint()}")
        return AwayError(f"no connection ({error.strerror or error})")

    def _hint(self) -> str:
        encrypted = "; brokers have a port of its own for TLS, often 8883"
        return encrypted if self._address.is_encrypted else "; if it expects TLS, write mqtts://"

    def _refusal(self, answer: str) -> AwayError | RefusedError:
        if answer in _NO_LOGIN:
            given = "the user and password given"
            without = f"no user and password; give them by --mqtt-login, or {USER} and {PASSWORD}"
            return RefusedError(f"it refuses the login ({answer}), with {given if self._login else without}")
        if answer == _NO_MQTT_5:
            return RefusedError("it does not speak MQTT 5; mosquitto does from version 1.6 on")
        return AwayError(f"it refuses the connection ({answer})")


class Connection:
    """One connection to a broker.

    Attributes:
        answer: an empty text once the broker accepted the connection, its reason where it refused; None before.
        acknowledged: by the numbers of messages, why they were refused; an empty text where they were taken.
    """

    def __init__(self, client: Client) -> None:
        self._client, self._ended = client, ""
        self.answer: str | None = None
        self.acknowledged: dict[int, str] = {}
        client.on_connect = self._on_connect
        client.on_publish = self._on_publish
        client.on_disconnect = self._on_disconnect

    def publish(self, topic: str, payload: bytes) -> int:
        """Send a retained message, which the broker is to acknowledge (QoS 1), and return its number."""
        return self._client.publish(topic, payload, qos=1, retain=True).mid

    def look(self) -> str | None:
        """Exchange messages for a moment, or until some came; return why the connection is lost, if it is."""
        if not self._client.loop(_LOOK_SECONDS):
            return None
        return self._ended or "the connection is lost"

    def close(self) -> None:
        """End the connection in order, so that its last will is not published."""
        self._client.disconnect()

    def _on_connect(self, client: Client, data: Any, flags: Any, reason: Any, properties: Any) -> None:
        self.answer = str(reason) if reason.is_failure else ""

    def _on_publish(self, client: Client, data: Any, number: int, reason: Any, properties: Any) -> None:
        self.acknowledged[number] = str(reason) if reason.is_failure else ""

    def _on_disconnect(self, client: Client, data: Any, flags: Any, reason: Any, properties: Any) -> None:
        if flags.is_disconnect_packet_from_server:
            self._ended = f"the broker ended the connection ({reason})"


def _tls(authority: Path | None) -> ssl.SSLContext:
    """Return a context that checks certificates and names; nothing switches that off."""
    if authority is None:
        return ssl.create_default_context()
    with open(authority, "rb"):  # an error here names the file
        pass
    try:
        return ssl.create_default_context(cafile=authority)
    except ssl.SSLError:
        raise InputError(f"{authority}: holds no certificate; name the PEM file of the authority") from None


def _library() -> Any:
    try:
        from paho.mqtt import client
    except ImportError:
        raise InputError(f"--mqtt needs paho-mqtt ({Host.here().pip('install', _LIBRARY)})") from None
    return client
