from __future__ import annotations

import json
import re

import pytest
from mnist_edge_runtime.service.home_assistant import discovery
from mnist_edge_runtime.service.mqtt_address import Address

# Keys and values of Home Assistant's discovery, from copies of its pages that may be older than the pages are now:
# https://www.home-assistant.io/integrations/mqtt/ (device, origin, topics of discovery),
# https://www.home-assistant.io/integrations/sensor.mqtt/, https://www.home-assistant.io/integrations/binary_sensor.mqtt/;
# values of state_class: https://developers.home-assistant.io/docs/core/entity/sensor/.
OF_ANY = {
    "availability", "availability_mode", "availability_template", "availability_topic", "device", "device_class",
    "enabled_by_default", "encoding", "entity_category", "entity_picture", "expire_after", "force_update", "icon",
    "json_attributes_template", "json_attributes_topic", "name", "origin", "payload_available",
    "payload_not_available", "qos", "state_topic", "unique_id", "value_template",
}  # fmt: skip
OF_COMPONENT = {
    "sensor": {
        "last_reset_value_template",
        "options",
        "state_class",
        "suggested_display_precision",
        "unit_of_measurement",
    },
    "binary_sensor": {"off_delay", "payload_off", "payload_on"},
}
OF_DEVICE = {
    "configuration_url", "connections", "hw_version", "identifiers", "manufacturer", "model", "model_id", "name",
    "serial_number", "suggested_area", "sw_version", "via_device",
}  # fmt: skip
OF_ORIGIN = {"name", "support_url", "sw_version"}
REQUIRED = {"state_topic"}
STATE_CLASSES = {"measurement", "measurement_angle", "total", "total_increasing"}
CATEGORIES = {"config", "diagnostic"}
TOPIC = re.compile(r"homeassistant/(sensor|binary_sensor)/[a-zA-Z0-9_-]+/[a-zA-Z0-9_-]+/config")

ADDRESS = Address.parse("mqtts://broker/house/water%20meter")


@pytest.mark.parametrize("rising", [False, True])
def test_messages_have_documented_keys_and_values(rising: bool) -> None:
    messages = discovery(ADDRESS, rising=rising)

    assert len(messages) == 3
    for topic, payload in messages.items():
        found = TOPIC.fullmatch(topic)
        assert found
        message = json.loads(payload)
        assert REQUIRED <= message.keys() <= OF_ANY | OF_COMPONENT[found[1]]
        assert {"identifiers"} <= message["device"].keys() <= OF_DEVICE
        assert {"name"} <= message["origin"].keys() <= OF_ORIGIN
        assert message.get("state_class", "total") in STATE_CLASSES
        assert message.get("entity_category", "config") in CATEGORIES
        assert message["qos"] in (0, 1, 2)
        # Both are Home Assistant's defaults, and what the publisher sends.
        assert message["availability_topic"] == "house/water meter/availability"
        assert not {"payload_available", "payload_not_available", "payload_on", "payload_off"} & message.keys()


def _entities(rising: bool = False, address: Address = ADDRESS) -> dict[str, dict[str, str]]:
    messages = map(json.loads, discovery(address, rising=rising).values())
    return {message["name"]: message for message in messages}


def test_the_reading_of_a_counter_is_one_that_increases() -> None:
    assert "state_class" not in _entities()["Reading"]
    assert _entities(rising=True)["Reading"]["state_class"] == "total_increasing"


def test_all_are_of_one_device_and_each_has_an_id_of_its_own_that_stays() -> None:
    entities = _entities()

    assert len({message["unique_id"] for message in entities.values()}) == 3
    assert len({json.dumps(message["device"]) for message in entities.values()}) == 1
    assert entities == _entities()
    other = _entities(address=Address.parse("mqtts://broker/house/water-meter"))
    assert other["Reading"]["unique_id"] != entities["Reading"]["unique_id"]


def test_a_problem_is_a_reading_that_is_not_accepted() -> None:
    problem = _entities()["Problem"]

    assert problem["device_class"] == "problem"
    assert problem["value_template"] == "{{ 'OFF' if value_json.accepted else 'ON' }}"
    assert problem["json_attributes_topic"] == problem["state_topic"] == "house/water meter"


def test_templates_render_from_what_is_published() -> None:
    from jinja2 import Environment

    environment = Environment()
    environment.filters["tojson"] = json.dumps
    published = {"accepted": False, "value": "0427", "dropped": 2, "reason": "unsure", "text": "0421", "time": "T"}

    def rendered(template: str, **changed: object) -> str:
        return environment.from_string(template).render(value_json={**published, **changed})

    entities = _entities()
    assert rendered(entities["Reading"]["value_template"]) == "0427"
    assert rendered(entities["Reading"]["value_template"], value=None) == "None"  # which is unknown there
    assert rendered(entities["Problem"]["value_template"]) == "ON"
    assert rendered(entities["Problem"]["value_template"], accepted=True) == "OFF"
    assert rendered(entities["Readings dropped"]["value_template"]) == "2"
    attributes = json.loads(rendered(entities["Problem"]["json_attributes_template"]))
    assert attributes == {"reason": "unsure", "text": "0421", "time": "T"}
