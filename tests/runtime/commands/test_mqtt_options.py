from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from mnist_edge_runtime.commands.mqtt_options import _outbox
from mnist_edge_runtime.service.mqtt_address import Address
from mnist_edge_runtime.service.mqtt_login import PASSWORD, USER
from mnist_edge_runtime.service.stability import STABLE

if TYPE_CHECKING:
    from tests.runtime.conftest import Broker

Invoke = Callable[..., tuple[int, str, str]]
Refused = Callable[[tuple[int, str, str], int], str]

URL = "mqtts://127.0.0.1/house/meter"


@pytest.fixture
def film(number_jpeg: Callable[..., bytes], tmp_path: Path) -> Path:
    """Frames in a folder: 42, and 41."""
    folder = tmp_path / "film"
    folder.mkdir()
    for place, number in enumerate(["42"] * STABLE + ["41"] * STABLE):
        (folder / f"{place:03}.jpg").write_bytes(number_jpeg(number))
    return folder


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (["--mqtt-login", "a"], "--mqtt-login is for readings that are published; name a broker with --mqtt"),
        (["--mqtt-ca", "a"], "--mqtt-ca is for readings that are published"),
        (["--mqtt-outbox", "a"], "--mqtt-outbox is for readings that are published"),
        (["--home-assistant"], "--home-assistant is for readings that are published"),
        (["--mqtt", "mqtt://broker/a", "--mqtt-ca", "a"], "--mqtt-ca is for TLS, and the address is one without"),
        (["--mqtt", "mqtts://broker"], "argument --mqtt: the address names no topic"),
    ],
)
def test_options_that_do_not_go_together(invoke: Invoke, refused: Refused, options: list[str], what: str) -> None:
    assert what in refused(invoke("watch", *options), 2)


@pytest.mark.parametrize("option", [("--mqtt", URL), ("--mqtt-login", "a"), ("--home-assistant",)])
def test_folders_are_not_published(invoke: Invoke, refused: Refused, tmp_path: Path, option: tuple[str, ...]) -> None:
    assert f"{option[0]} is for frames of a camera" in refused(invoke("watch", *option, tmp_path), 2)


def test_a_password_in_the_address_is_refused_and_not_repeated(invoke: Invoke) -> None:
    code, out, err = invoke("watch", "--mqtt", "mqtts://me:secret@broker/a")

    assert (code, out) == (2, "")
    assert "an address must hold no user and no password" in err
    assert "--mqtt-login" in err
    assert "secret" not in err


def test_readings_are_printed_and_published_for_home_assistant(
    invoke: Invoke,
    film: Path,
    brokers: Callable[..., Broker],
    certificates: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broker = brokers(certificates)
    subscriber = broker.subscribe("#")
    login = tmp_path / "login"
    login.write_text(f"{broker.USER}\n{broker.PASSWORD}\n")
    login.chmod(0o600)
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state"))
    options = ("--mqtt", f"{broker.url}/house/meter", "--mqtt-ca", certificates / "authority.pem")

    code, out, err = invoke(
        "watch", "--jsonl", "--source", film, "--rising", *options, "--mqtt-login", login, "--home-assistant"
    )
    came = subscriber.until(lambda message: message.payload == b"offline")

    assert code == 0
    assert broker.PASSWORD not in out + err
    printed = [json.loads(line) for line in out.splitlines()]
    published = [message.json for message in came if message.topic == "house/meter"]
    assert [(each["text"], each["accepted"]) for each in printed] == [("42", True), ("41", False)]
    assert [{name: each[name] for name in printed[0]} for each in published] == printed
    assert [(each["value"], each["dropped"]) for each in published] == [("42", 0), ("42", 0)]
    assert sum(message.topic.startswith("homeassistant/") for message in came) == 3
    (outbox,) = (tmp_path / "state").iterdir()
    assert outbox.name.startswith("house-meter-")


def test_a_refused_login_ends_the_command_and_warns_where_it_is_not_encrypted(
    invoke: Invoke,
    film: Path,
    brokers: Callable[..., Broker],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "users").touch()
    broker = brokers(None, f"password_file {tmp_path}/users")
    monkeypatch.setenv(USER, "reader")
    monkeypatch.setenv(PASSWORD, "a secret")

    code, _, err = invoke(
        "watch", "--source", film, "--mqtt", f"{broker.url}/a", "--mqtt-outbox", tmp_path / "outbox", "--jsonl"
    )

    assert code == 3
    assert f"warning: {broker.url} is without TLS: the password and the readings can be read on their way\n" in err
    assert err.endswith(
        f"error: {broker.url}: it refuses the login (Not authorized), with the user and password given\n"
    )
    assert "a secret" not in err


def test_each_address_has_an_outbox_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    first, second = (Address.parse(f"mqtts://{host}/house/a b") for host in ("one", "two"))

    file = _outbox(first, {}.get)

    assert file.parent == tmp_path / ".local/state/mnist-edge"
    assert file.name.startswith("house-a-b-")
    assert file != _outbox(second, {}.get)
    assert _outbox(first, {"XDG_STATE_HOME": "/x"}.get) == Path("/x/mnist-edge", file.name)
    assert _outbox(first, {"STATE_DIRECTORY": "/s:/t", "XDG_STATE_HOME": "/x"}.get) == Path("/s", file.name)
