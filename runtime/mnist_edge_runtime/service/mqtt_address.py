"""Parse the address of an MQTT broker and topic."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

__all__ = ["Address"]

_PORTS = {"mqtt": 1883, "mqtts": 8883}  # without and with TLS
_LONGEST_TOPIC = 1_000  # bytes; MQTT itself allows 65,535
_FORM = "such as mqtts://broker.local/house/meter"


@dataclass(frozen=True)
class Address:
    """Where readings are published.

    Attributes:
        host, port: the broker's.
        topic: of the readings.
        is_encrypted: whether the connection is one over TLS.
    """

    host: str
    port: int
    topic: str
    is_encrypted: bool

    @classmethod
    def parse(cls, text: str) -> Address:
        """Return the address in a URL: mqtt://HOST[:PORT]/TOPIC, or mqtts:// for TLS.

        Raises:
            ValueError: it is none; the message does not repeat the text, which may hold a password.
        """
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError:
            raise ValueError(
                f"this is no address of a broker; it is written {_FORM}, the port from 1 to 65535"
            ) from None
        if "@" in parts.netloc:
            raise ValueError(
                "an address must hold no user and no password, for every user of this machine can read it; put them "
                "into a file (--mqtt-login) or the environment (MNIST_EDGE_MQTT_USER, MNIST_EDGE_MQTT_PASSWORD)"
            )
        if parts.scheme not in _PORTS or not parts.hostname or port == 0:
            raise ValueError(f"this is no address of a broker; it is written {_FORM}, or mqtt:// without TLS")
        try:
            parts.hostname.encode("idna")  # as the system's search for its address does
        except UnicodeError:
            raise ValueError(f"the name of the broker's host is none; the address is written {_FORM}") from None
        topic = unquote(parts.path.removeprefix("/"))
        if not topic:
            raise ValueError(f"the address names no topic; it is written {_FORM}")
        if parts.query or parts.fragment or any(letter in text for letter in "?#") or set(topic) & set("+#\0"):
            raise ValueError("a topic to publish to must not hold +, # or ?")
        if topic.startswith("$") or topic.endswith("/"):
            raise ValueError("a topic to publish to must not begin with $ or end with /")
        if not topic.isprintable() or len(topic.encode(errors="replace")) > _LONGEST_TOPIC:
            raise ValueError(f"a topic must be of printable characters, at most {_LONGEST_TOPIC:,} bytes of them")
        return cls(parts.hostname, port or _PORTS[parts.scheme], topic, parts.scheme == "mqtts")

    @property
    def broker(self) -> str:
        """The broker's part of the address."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.is_encrypted else 'mqtt'}://{host}:{self.port}"

    @property
    def availability(self) -> str:
        """The topic that says whether readings are being published: online or offline."""
        return f"{self.topic}/availability"
