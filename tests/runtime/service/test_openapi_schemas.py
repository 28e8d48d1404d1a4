from __future__ import annotations

from mnist_edge_runtime.service.openapi_schemas import MODEL, SCHEMAS, object_of

from .conftest import App


def test_an_object_has_its_properties_alone_and_all_but_the_optional_ones() -> None:
    schema = object_of({"a": {"type": "string"}, "b": {"type": "number"}}, "b")

    assert (schema["required"], schema["additionalProperties"]) == (["a"], False)


def test_what_the_service_answers_has_the_fields_of_its_schema(app: App) -> None:
    assert {*app.get("/v1/model").json} == {*MODEL["properties"]}
    assert {*app.get("/v1/nothing").json} == {*SCHEMAS["Error"]["properties"]}
