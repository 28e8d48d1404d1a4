"""Describe the routes of an inbox for the OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .openapi_schemas import object_of

__all__ = ["paths"]

_COUNT = {"type": "integer", "minimum": 0}
_NAME = {"type": "string", "pattern": "^[0-9]{8}-[0-9]{6}-[0-9]{6}-[0-9a-f]{8}[.]png$"}
_NEW = "^[A-Za-z0-9]+(?:[ _-][A-Za-z0-9]+)*$"
_KEEPS = ("400", "403", "408", "413", "415", "421", "422", "429", "500", "503", "507")


_STATE = object_of(
    {
        "pictures": {**_COUNT, "description": "All but those that were discarded."},
        "unsure": {**_COUNT, "description": "Those of them that have no class yet."},
        "classes": {"type": "object", "additionalProperties": _COUNT},
        "bytes": _COUNT,
        "most": object_of({"pictures": _COUNT, "bytes": _COUNT}),
    }
)
_MOVED = {"type": "string", "description": "Where the same picture lay before, if it was kept under another class."}
_KEPT = object_of(
    {"file": {"type": "string"}, "class": {"type": "string"}, "name": _NAME, "moved_from": _MOVED}, "file", "moved_from"
)


def paths(
    content: dict[str, Any], refusals: Callable[..., dict[str, Any]], security: list[Any], of_token: tuple[str, ...]
) -> dict[str, Any]:
    """Return the routes.

    Args:
        content: the media types of a body with pictures.
        refusals: returns the answers with these statuses.
        security: what each asks for.
        of_token: the statuses where that is missing.
    """

    def described(title: str, answer: dict[str, Any], *statuses: str, **more: Any) -> dict[str, Any]:
        done = {"description": "Done.", "content": {"application/json": {"schema": answer}}}
        return {
            "summary": title,
            **more,
            "responses": {"200": done} | refusals(*statuses, *of_token),
            "security": security,
        }

    def parameter(name: str, required: bool, schema: dict[str, Any], description: str) -> dict[str, Any]:
        return {"name": name, "in": "query", "required": required, "schema": schema, "description": description}

    each = {"oneOf": [_KEPT, {"$ref": "#/components/schemas/Failed"}]}
    kept = object_of({"kept": {"type": "array", "items": each, "minItems": 1}, "inbox": _STATE})
    label = {"type": "string", "pattern": _NEW, "maxLength": 40}
    wanted = parameter("class", False, label, "A label of the model, or a new class; without it, none is known yet.")
    gone = parameter("name", True, _NAME, "Of a picture that this service has kept since it was started.")
    body = {"requestBody": {"required": True, "content": content}}
    return {
        "/v1/inbox": {
            "post": described("Keep pictures to train with", kept, *_KEEPS, parameters=[wanted], **body),
            "get": described("Count the pictures that are kept", _STATE, "400", "403", "421", "429", "503"),
            "delete": described(
                "Take a picture back",
                object_of({"removed": _NAME, "inbox": _STATE}),
                *("400", "403", "404", "421", "429", "503"),
                parameters=[gone],
            ),
        }
    }
