"""Describe the interface as an OpenAPI document, https://spec.openapis.org/oas/v3.1.0."""

from __future__ import annotations

from typing import Any

from .. import __version__
from ..preprocessing.mnist import PREPROCESSING
from . import openapi_inbox
from .limits import Limits
from .openapi_schemas import MODEL, SCHEMAS, WATCHED, object_of

__all__ = ["document"]

_ROW = {"type": "array", "items": {"type": "number", "minimum": 0, "maximum": 255}, "minItems": 1}
_ENTRY = {
    "oneOf": [
        object_of({"pixels": {"type": "array", "items": _ROW, "minItems": 1, "description": "Rows of equal length."}}),
        object_of({"base64": {"type": "string", "contentEncoding": "base64", "description": "A picture file."}}),
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
_LIVE = (
    "JPEGs one after the other, without end unless the camera has one; in the header X-Reading of each part JSON with "
    "what is read in it."
)
_OF_PICTURES = ("400", "403", "408", "413", "415", "421", "422", "429", "500", "503")


def document(
    limits: Limits, *, with_token: bool, with_camera: bool = False, with_inbox: bool = False
) -> dict[str, Any]:
    """Return the document of a service with these limits."""
    security: list[dict[str, list[str]]] = [{"token": []}] if with_token else []
    of_token = ("401",) if with_token else ()
    parameters = [
        _parameter("preprocess", {"type": "string", "enum": [*PREPROCESSING], "default": "auto"}),
        _parameter("image", {"type": "string", "enum": ["0", "1"], "default": "0"}),
    ]

    def posts(title: str, answers: str, schema: str, parameters: list[Any]) -> dict[str, Any]:
        each = {"oneOf": [_reference(schema), _reference("Failed")]}
        answer = object_of({"model": {"type": "string"}, answers: {"type": "array", "items": each, "minItems": 1}})
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

    flag = {"type": "boolean", "const": True}
    live = {"description": _LIVE, "content": {"multipart/x-mixed-replace": {}}}
    camera = {
        "/v1/camera": {"get": gets("Show the live picture", live, "403", "429", "503", secret=True)},
        "/v1/reading": {"get": gets("Tell the newest reading", _json("The reading.", WATCHED), "403", secret=True)},
    }
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
            "/v1/model": {"get": gets("Describe the model", _json("The model.", MODEL), "403", secret=True)},
            "/v1/classify": {
                "post": posts("Classify pictures of one digit each", "predictions", "Prediction", parameters)
            },
            "/v1/read": {"post": posts("Read the lines of digits on pictures", "readings", "Reading", [])},
            "/healthz": {"get": gets("Say that the process lives", _json("It lives.", object_of({"alive": flag})))},
            "/readyz": {
                "get": gets("Say that pictures are answered", _json("They are.", object_of({"ready": flag})), "503")
            },
            "/metrics": {
                "get": gets(
                    "Show counts and times",
                    {"description": "In the text format of Prometheus.", "content": {"text/plain": {}}},
                    secret=True,
                )
            },
            "/openapi.json": {"get": gets("Show this document", _json("This document.", {"type": "object"}))},
            **(camera if with_camera else {}),
            **(inbox if with_inbox else {}),
        },
        "components": {
            "schemas": SCHEMAS,
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
        "application/json": {"schema": object_of(document, "preprocess")},
    }


def _parameter(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": schema}


def _reference(schema: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{schema}"}


def _json(title: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": title, "content": {"application/json": {"schema": schema}}}


def _refusals(*statuses: str) -> dict[str, Any]:
    return {status: _json(_REFUSALS[status], _reference("Error")) for status in sorted(statuses)}
