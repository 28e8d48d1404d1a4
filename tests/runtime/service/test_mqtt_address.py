from __future__ import annotations

import pytest
from mnist_edge_runtime.service.mqtt_address import Address


@pytest.mark.parametrize(
    ("text", "expected", "broker"),
    [
        ("mqtts://broker/house/meter", ("broker", 8883, "house/meter", True), "mqtts://broker:8883"),
        ("mqtt://192.0.2.1/m", ("192.0.2.1", 1883, "m", False), "mqtt://192.0.2.1:1883"),
        ("MQTTS://[::1]:9/a%20b/\u00fc", ("::1", 9, "a b/\u00fc", True), "mqtts://[::1]:9"),
    ],
)
def test_an_address(text: str, expected: tuple[str, int, str, bool], broker: str) -> None:
    address = Address.parse(text)

    assert (address.host, address.port, address.topic, address.is_encrypted) == expected
    assert address.broker == broker
    assert address.availability == f"{expected[2]}/availability"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no address of a broker"),
        ("broker/house", "no address of a broker"),
        ("http://broker/house", "no address of a broker"),
        ("mqtts:///house", "no address of a broker"),
        ("mqtts://broker:0/house", "no address of a broker"),
        ("mqtts://broker:99999/house", "no address of a broker"),
        ("mqtts://broker:x/house", "no address of a broker"),
        ("mqtts://[::1/house", "no address of a broker"),
        ("mqtts://broker..local/house", "name of the broker's host is none"),
        ("mqtts://" + "a" * 64 + "/house", "name of the broker's host is none"),
        ("mqtts://broker", "names no topic"),
        ("mqtts://broker/", "names no topic"),
        ("mqtts://broker/house/+", "must not hold"),
        ("mqtts://broker/house/#", "must not hold"),
        ("mqtts://broker/house%23", "must not hold"),
        ("mqtts://broker/house?a", "must not hold"),
        ("mqtts://broker/$SYS/a", "must not begin"),
        ("mqtts://broker/a/", "must not begin with $ or end"),
        ("mqtts://broker/a%0Ab", "printable"),
        ("mqtts://broker/" + "a" * 1_001, "at most 1,000 bytes"),
    ],
)
def test_no_address(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why.replace("$", r"\$")):
        Address.parse(text)


@pytest.mark.parametrize("text", ["mqtts://me:secret@broker/a", "mqtt://secret@broker/a", "mqtts://me:secret@[x/a"])
def test_a_password_is_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="address") as error:
        Address.parse(text)
    assert "secret" not in str(error.value)
    assert "secret" not in repr(error.value.__cause__)
