"""Describe the documents that the service answers, as schemas of its OpenAPI document."""

from __future__ import annotations

from typing import Any

__all__ = ["MODEL", "SCHEMAS", "WATCHED", "object_of"]

_PROBABILITY = {"type": "number", "minimum": 0, "maximum": 1.000001}
_SHA256 = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_REASON = {"type": ["string", "null"]}
_MILLISECONDS = {
    "type": "object",
    "properties": {"prepare": {"type": "number", "minimum": 0}, "engine": {"type": "number", "minimum": 0}},
    "required": ["prepare", "engine"],
    "additionalProperties": False,
}


def object_of(properties: dict[str, Any], *optional: str) -> dict[str, Any]:
    """Return the schema of an object with these properties alone."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


_ERROR = object_of({"error": {"type": "string"}})
_FAILED = object_of({"file": {"type": "string"}, "error": {"type": "string"}}, "file")
_PREDICTION = object_of(
    {
        "file": {"type": "string", "description": "The name of the file in a form."},
        "label": {"type": ["string", "null"], "description": "The most probable class; null for a blank picture."},
        "confidence": _PROBABILITY,
        "probabilities": {"type": ["array", "null"], "items": _PROBABILITY},
        "accepted": {"type": "boolean"},
        "reason": {**_REASON, "description": "Why it was not accepted."},
        "milliseconds": _MILLISECONDS,
        "image": {"type": "string", "description": "Base64 of the 28 x 28 bytes that the network saw, row by row."},
    },
    *("file", "image"),
)
_DIGIT = object_of(
    {
        "label": {"type": "string"},
        "confidence": _PROBABILITY,
        "box": {
            "type": "array",
            "items": {"type": "integer", "minimum": 0},
            "minItems": 4,
            "maxItems": 4,
            "description": "Left, top, width and height in pixels of the picture.",
        },
        "accepted": {"type": "boolean"},
        "reason": _REASON,
    }
)
_LINE = object_of(
    {"text": {"type": "string"}, "digits": {"type": "array", "items": {"$ref": "#/components/schemas/Digit"}}}
)
_READING = object_of(
    {
        "file": {"type": "string"},
        "lines": {"type": "array", "items": _LINE},
        "reason": {**_REASON, "description": "Why there are no lines."},
        "milliseconds": _MILLISECONDS,
    },
    "file",
)
MODEL = object_of(
    {
        "file": {"type": "string"},
        "sha256": _SHA256,
        "payload_sha256": _SHA256,
        "engine": {"type": "string"},
        "version": {"type": "string"},
        "camera": {"type": "boolean"},
        "inbox": {"type": "boolean"},
        "contract": {"type": "object"},
    }
)
_COUNT = {"type": "integer", "minimum": 0}
_SEEN = object_of({name: _DIGIT["properties"][name] for name in ("label", "confidence", "box", "accepted")}, "accepted")
# What `GET /v1/reading` answers.
WATCHED = object_of(
    {
        "time": {"type": ["string", "null"], "format": "date-time", "description": "Null before there is a reading."},
        "frame": {"type": ["integer", "null"], "minimum": 1},
        "text": {"type": "string"},
        "accepted": {"type": "boolean"},
        "reason": {**_REASON, "description": "Why it was not accepted, or what is to be known of it."},
        "digits": {"type": "array", "items": _SEEN},
        "frames": {**_COUNT, "description": "Consecutive frames that agree."},
        "age": {"type": ["number", "null"], "minimum": 0, "description": "Seconds since its frame was read."},
        "camera": object_of(
            {
                "source": {"type": "string"},
                **dict.fromkeys(("frames", "dropped", "damaged"), _COUNT),
                "ended": {"type": ["string", "null"], "description": "Why no more frames come."},
            }
        ),
    }
)
SCHEMAS = {
    "Prediction": _PREDICTION,
    "Reading": _READING,
    "Digit": _DIGIT,
    "Failed": _FAILED,
    "Error": _ERROR,
}
