"""Write the messages by which Home Assistant discovers a reading as a device of its own.

Source: https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery
"""

from __future__ import annotations

import hashlib
import json
import re

from .. import __version__
from .mqtt_address import Address

__all__ = ["discovery"]

_PREFIX = "homeassistant"  # Home Assistant listens below it unless told otherwise


def discovery(address: Address, *, rising: bool) -> dict[str, bytes]:
    """Return the retained messages by their topics: a sensor, whether there is a problem, what was dropped.

    Args:
        address: where readings are published.
        rising: whether they are those of a counter.
    """
    digest = hashlib.sha256(address.topic.encode()).hexdigest()[:8]
    device = f"mnist_edge_{re.sub('[^a-zA-Z0-9]+', '_', address.topic)[:40].strip('_')}_{digest}"
    entities = {
        "sensor/reading": {
            "name": "Reading",
            "value_template": "{{ value_json.value }}",
            **({"state_class": "total_increasing"} if rising else {}),
        },
        "binary_sensor/problem": {
            "name": "Problem",
            "device_class": "problem",
            "value_template": "{{ 'OFF' if value_json.accepted else 'ON' }}",
            "json_attributes_topic": address.topic,
            "json_attributes_template": (
                "{{ {'reason': value_json.reason, 'text': value_json.text, 'time': value_json.time} | tojson }}"
            ),
        },
        "sensor/dropped": {
            "name": "Readings dropped",
            "entity_category": "diagnostic",
            "state_class": "total_increasing",
            "value_template": "{{ value_json.dropped }}",
        },
    }
    shared = {
        "state_topic": address.topic,
        "availability_topic": address.availability,
        "qos": 1,
        "device": {
            "identifiers": [device],
            "name": f"Reader of {address.topic}",
            "manufacturer": "mnist-edge",
            "model": "mnist-edge-runtime watch",
            "sw_version": __version__,
        },
        "origin": {"name": "mnist-edge-runtime", "sw_version": __version__},
    }
    messages = {}
    for place, entity in entities.items():
        component, name = place.split("/")
        message = {**entity, "unique_id": f"{device}_{name}", **shared}
        messages[f"{_PREFIX}/{component}/{device}/{name}/config"] = json.dumps(message).encode()
    return messages
