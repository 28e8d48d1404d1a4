"""Options that publish readings over MQTT, and the publisher that they ask for."""

from __future__ import annotations

import argparse
import hashlib
import os
import re
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..command_line import tell
from ..errors import UsageError
from ..service.mqtt_address import Address

if TYPE_CHECKING:
    from ..service.mqtt import Publisher

__all__ = ["DEFAULTS", "add_options", "check", "publisher"]

# What the options are where they are not given.
DEFAULTS = {"mqtt": None, "mqtt_login": None, "mqtt_ca": None, "mqtt_outbox": None, "home_assistant": False}


def add_options(parser: argparse._ActionsContainer) -> None:
    """Add the options that say where readings are published."""
    parser.add_argument(
        "--mqtt",
        type=_address,
        metavar="URL",
        help="Also publish each reading: mqtts://HOST[:PORT]/TOPIC, or mqtt:// without TLS. Those that the broker does "
        "not take wait on disk.",
    )
    parser.add_argument(
        "--mqtt-login",
        type=Path,
        metavar="FILE",
        help="File with the broker's user and password, a line each. (default: MNIST_EDGE_MQTT_USER and "
        "MNIST_EDGE_MQTT_PASSWORD of the environment)",
    )
    parser.add_argument(
        "--mqtt-ca",
        type=Path,
        metavar="FILE",
        help="Certificates of the authorities that are trusted, PEM. (default: the system's)",
    )
    parser.add_argument(
        "--mqtt-outbox",
        type=Path,
        metavar="FILE",
        help="File in which readings wait, one for each process. (default: one for each address, in systemd's "
        "STATE_DIRECTORY or ~/.local/state/mnist-edge)",
    )
    parser.add_argument(
        "--home-assistant",
        action="store_true",
        help="Let Home Assistant discover the reading as a sensor of a device of its own.",
    )


def check(arguments: argparse.Namespace) -> None:
    """Check that the options go together.

    Raises:
        UsageError: an option without --mqtt, or without TLS the authority of its certificates.
    """
    if arguments.mqtt is None:
        for name, default in DEFAULTS.items():
            if getattr(arguments, name) != default:
                option = f"--{name.replace('_', '-')}"
                raise UsageError(f"{option} is for readings that are published; name a broker with --mqtt")
    elif arguments.mqtt_ca and not arguments.mqtt.is_encrypted:
        raise UsageError("--mqtt-ca is for TLS, and the address is one without; write mqtts:// in place of mqtt://")


@contextmanager
def publisher(arguments: argparse.Namespace) -> Iterator[Publisher | None]:
    """Yield the publisher that the options ask for, None where they ask for none; then send what can still be sent.

    Raises:
        InputError: it cannot begin, or a broker has refused it.
    """
    address: Address | None = arguments.mqtt
    if address is None:
        yield None
        return
    # Few need these, and their imports take time.
    from ..service import mqtt_login
    from ..service.home_assistant import discovery
    from ..service.mqtt import Publisher
    from ..service.mqtt_connection import Connector
    from ..service.outbox import Outbox

    login = mqtt_login.read(arguments.mqtt_login, os.environ)
    if login and not address.is_encrypted:
        tell(f"warning: {address.broker} is without TLS: the password and the readings can be read on their way")
    announcements = discovery(address, rising=arguments.rising) if arguments.home_assistant else None
    file = arguments.mqtt_outbox or _outbox(address, os.environ.get)
    with closing(Outbox(file, tell=tell)) as outbox:
        connector = Connector(address, f"mnist-edge-{outbox.name}", login, arguments.mqtt_ca)
        with Publisher(address, outbox, connector, announcements=announcements, tell=tell) as publishing:
            yield publishing


def _outbox(address: Address, variable: Callable[[str], str | None]) -> Path:
    """Return the file in which readings for an address wait, unless one is named."""
    kept = variable("STATE_DIRECTORY") or ""
    folder = Path(kept.split(":")[0]) if kept else _state(variable) / "mnist-edge"
    digest = hashlib.sha256(f"{address.broker}/{address.topic}".encode()).hexdigest()[:8]
    return folder / f"{re.sub('[^a-zA-Z0-9]+', '-', address.topic)[:40].strip('-')}-{digest}.outbox"


def _state(variable: Callable[[str], str | None]) -> Path:
    named = variable("XDG_STATE_HOME")
    return Path(named) if named else Path.home() / ".local/state"


def _address(text: str) -> Address:
    try:
        return Address.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
