from __future__ import annotations

import socket
import ssl
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mnist_edge_runtime.errors import InputError
from mnist_edge_runtime.service.mqtt_address import Address
from mnist_edge_runtime.service.mqtt_connection import AwayError, Connector, RefusedError


def connector(url: str, authority: Path | None = None) -> Connector:
    return Connector(Address.parse(f"{url}/house/meter"), "a", None, authority)


def test_without_the_library_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "paho.mqtt", None)

    with pytest.raises(InputError, match=r"^--mqtt needs paho-mqtt \(.* -m pip install 'paho-mqtt>=2.1,<3'\)$"):
        connector("mqtt://broker")


@pytest.mark.parametrize("content", ["", "no certificate\n"])
def test_a_file_without_certificates(tmp_path: Path, content: str) -> None:
    (tmp_path / "ca.pem").write_text(content)

    with pytest.raises(InputError, match=r"ca\.pem: holds no certificate; name the PEM file of the authority"):
        connector("mqtts://broker", tmp_path / "ca.pem")
    with pytest.raises(FileNotFoundError, match=r"none\.pem"):
        connector("mqtts://broker", tmp_path / "none.pem")


def test_certificates_and_names_are_always_checked() -> None:
    context = connector("mqtts://broker")._tls

    assert context
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_a_broker_for_tls_and_one_without_are_told_apart(brokers: Callable[..., Any], certificates: Path) -> None:
    plain, encrypted = brokers(), brokers(certificates)

    with pytest.raises(AwayError, match=r"; brokers have a port of its own for TLS, often 8883$"):
        connector(f"mqtts://127.0.0.1:{plain.port}", certificates / "authority.pem").connect()
    with pytest.raises(AwayError, match=r"before it answered; if it expects TLS, write mqtts://"):
        connector(f"mqtt://127.0.0.1:{encrypted.port}").connect()


def test_a_certificate_for_another_name_is_refused(brokers: Callable[..., Any], certificates: Path) -> None:
    broker = brokers(certificates)

    with pytest.raises(RefusedError, match="not trusted: Hostname mismatch, certificate is not valid for 'localhost'"):
        connector(f"mqtts://localhost:{broker.port}", certificates / "authority.pem").connect()


def _certificate_error(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = code, "certificate is not yet valid"
    return error


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (socket.gaierror(-2, "Name or service not known"), "the host's name is not found (Name or service not known)"),
        (TimeoutError(), "no answer within 10 seconds"),
        (ConnectionRefusedError(111, "refused"), "no broker listens on port 1883"),
        (OSError(113, "No route to host"), "no connection (No route to host)"),
        (_certificate_error(9), "certificate is not yet valid; is the clock of this machine right?"),
    ],
)
def test_what_may_get_better_by_itself(monkeypatch: pytest.MonkeyPatch, error: OSError, sentence: str) -> None:
    def connect(*arguments: object, **options: object) -> None:
        raise error

    monkeypatch.setattr(socket, "create_connection", connect)

    with pytest.raises(AwayError) as away:
        connector("mqtt://broker").connect()
    assert str(away.value).endswith(sentence)
