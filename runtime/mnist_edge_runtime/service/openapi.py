"""Describe the interface as an OpenAPI document, https://spec.openapis.org/oas/v3.1.0."""

from __future__ import annotations

from typing import Any

from .. import __version__
from ..preprocessing.mnist import PREPROCESSING
from . import openapi_inbox
from .limits import Limits

__all__ = ["document"]

_PROBABILITY = {"type": "number", "minimum": 0, "maximum": 1.000001}
_SHA256 = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_REASON = {"type": ["string", "null"]}
_MILLISECONDS = {
    "type": "object",
    "properties": {"prepare": {"type": "number", "minimum": 0}, "engine": {"type": "number", "minimum": 0}},
    "required": ["prepare", "engine"],
    "additionalProperties": False,
}


def _object(properties: dict[str, Any], *optional: str) -> dict[str, Any]:
    """Return the schema of an object with these properties alone."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


_ERROR = _object({"error": {"type": "string"}})
_FAILED = _object({"file": {"type": "string"}, "error": {"type": "string"}}, "file")
_PREDICTION = _object(
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
_DIGIT = _object(
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
_LINE = _object(
    {"text": {"type": "string"}, "digits": {"type": "array", "items": {"$ref": "#/components/schemas/Digit"}}}
)
_READING = _object(
    {
        "file": {"type": "string"},
        "lines": {"type": "array", "items": _LINE},
        "reason": {**_REASON, "description": "Why there are no lines."},
        "milliseconds": _MILLISECONDS,
    },
    "file",
)
_ROW = {"type": "array", "items": {"type": "number", "minimum": 0, "maximum": 255}, "minItems": 1}
_ENTRY = {
    "oneOf": [
        _object({"pixels": {"type": "array", "items": _ROW, "minItems": 1, "description": "Rows of equal length."}}),
        _object({"base64": {"type": "string", "contentEncoding": "base64", "description": "A picture file."}}),
    ]
}
_BINARY = {"schema": {"type": "string", "format": "binary"}}
# Sentences of the answers that are no predictions, by their status.
_REFUSALS = {
    "400": "The request is malformed.",
    "401": "The token is missing or another one.",
    "403": "The request comes from a page of another origin.",
    "404": "There is no such picture.",
    "408": "The body did not arrive in time.",
    "413": "The body is too large.",
    "415": "The media type is none that is read.",
    "421": "The service was called by a name that is not its own.",
    "422": "The only picture cannot be read.",
    "429": "Too many requests wait; Retry-After says for how long.",
    "500": "A fault of the service.",
    "503": "There was no answer in time, or the service is stopping.",
    "507": "The inbox is full, or the disk is.",
}
_OF_PICTURES = ("400", "403", "408", "413", "415", "421", "422", "429", "500", "503")


def document(limits: Limits, *, with_token: bool, with_inbox: bool = False) -> dict[str, Any]:
    """Return the document of a service with these limits."""
    security: list[dict[str, list[str]]] = [{"token": []}] if with_token else []
    of_token = ("401",) if with_token else ()
    parameters = [
        _parameter("preprocess", {"type": "string", "enum": [*PREPROCESSING], "default": "auto"}),
        _parameter("image", {"type": "string", "enum": ["0", "1"], "default": "0"}),
    ]

    def posts(title: str, answers: str, schema: str, parameters: list[Any]) -> dict[str, Any]:
        each = {"oneOf": [_reference(schema), _reference("Failed")]}
        answer = _object({"model": {"type": "string"}, answers: {"type": "array", "items": each, "minItems": 1}})
        return {
            "summary": title,
            "operationId": title.split()[0].lower(),
            "parameters": parameters,
            "requestBody": {"required": True, "content": _content(limits, answers == "predictions")},
            "responses": {"200": _json("The answers, in the order of the pictures.", answer)}
            | _refusals(*_OF_PICTURES, *of_token),
            "security": security,
        }

    def gets(title: str, answer: dict[str, Any], *statuses: str, secret: bool = False) -> dict[str, Any]:
        return {
            "summary": title,
            "responses": {"200": answer} | _refusals("421", *statuses, *(of_token if secret else ())),
            "security": security if secret else [],
        }

    model = _object(
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
    flag = {"type": "boolean", "const": True}
    inbox = openapi_inbox.paths(_content(limits, False), _refusals, security, of_token)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "mnist-edge-runtime serve",
            "version": __version__,
            "description": "Reads handwritten digits with a model file that carries its own proof.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "paths": {
            "/": {"get": gets("Show the page", {"description": "The page.", "content": {"text/html": {}}})},
            "/v1/model": {"get": gets("Describe the model", _json("The model.", model), secret=True)},
            "/v1/classify": {
                "post": posts("Classify pictures of one digit each", "predictions", "Prediction", parameters)
            },
            "/v1/read": {"post": posts("Read the lines of digits on pictures", "readings", "Reading", [])},
            "/healthz": {"get": gets("Say that the process lives", _json("It lives.", _object({"alive": flag})))},
            "/readyz": {
                "get": gets("Say that pictures are answered", _json("They are.", _object({"ready": flag})), "503")
            },
            "/metrics": {
                "get": gets(
                    "Show counts and times",
                    {"description": "In the text format of Prometheus.", "content": {"text/plain": {}}},
                    secret=True,
                )
            },
            "/openapi.json": {"get": gets("Show this document", _json("This document.", {"type": "object"}))},
            **(inbox if with_inbox else {}),
        },
        "components": {
            "schemas": {
                **{"Prediction": _PREDICTION, "Reading": _READING, "Digit": _DIGIT},
                **{"Failed": _FAILED, "Error": _ERROR},
            },
            **({"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}} if with_token else {}),
        },
    }


def _content(limits: Limits, has_preprocess: bool) -> dict[str, Any]:
    """Return the media types of a body: a raw picture, a form with files, JSON."""
    pictures = {"type": "array", "items": _ENTRY, "minItems": 1, "maxItems": limits.pictures}
    document = {"pictures": pictures, "preprocess": {"type": "string", "enum": [*PREPROCESSING]}}
    if not has_preprocess:
        del document["preprocess"]
    file = {"type": "string", "format": "binary"}
    files = {"type": "array", "items": file, "minItems": 1, "maxItems": limits.pictures}
    form = {"type": "object", "properties": {"picture": files}, "required": ["picture"], "additionalProperties": False}
    return {
        "image/*": _BINARY,
        "application/octet-stream": _BINARY,
        "multipart/form-data": {"schema": form},
        "application/json": {"schema": _object(document, "preprocess")},
    }


def _parameter(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema}


def _reference(schema: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{schema}"}


def _json(title: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": title, "content": {"application/json": {"schema": schema}}}


def _refusals(*statuses: str) -> dict[str, Any]:
    return {status: _json(_REFUSALS[status], _reference("Error")) for status in sorted(statuses)}
