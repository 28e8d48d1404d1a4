from __future__ import annotations

import json
from dataclasses import FrozenInstanceError, replace
from typing import Any

import pytest
from mnist_edge_runtime import Contract, ModelError
from mnist_edge_runtime.model_file.contract import VERSION, InputSpec, OutputSpec, Payload, SelfTest


@pytest.fixture
def contract() -> Contract:
    return Contract(
        format="tflite",
        quantization="int8",
        labels=("zero", "one", "zwölf"),
        input=InputSpec("uint8", 1 / 255, 0),
        output=OutputSpec("uint8", 0.125, 130, temperature=1.5, threshold=0.9, chosen_on="5,000 validation images"),
        payload=Payload(1234, "ab" * 32),
        selftest=SelfTest("lsb", {"xnnpack": 0.0, "builtin": 1.0}, 0.01),
        origin={"architecture": "classic", "dataset": {"name": "mnist"}},
        parity={"agreement": 0.999},
        runtimes=({"engine": "litert", "version": "2.0", "images": 10000},),
    )


def _edited(contract: Contract, path: str, value: Any) -> str:
    """Return the contract's JSON with the value at a dotted path replaced, or removed where it is `...`."""
    document = json.loads(contract.to_json())
    *parents, last = path.split(".")
    target = document
    for parent in parents:
        target = target[parent]
    if value is ...:
        del target[last]
    else:
        target[last] = value
    return json.dumps(document)


def test_a_round_trip_changes_nothing(contract: Contract) -> None:
    assert Contract.from_json(contract.to_json()) == contract
    assert Contract.from_json(contract.to_json().encode()) == contract


@pytest.mark.parametrize(
    ("origin", "warnings"),
    [
        ({}, ()),
        ({"dataset": {"warning": None}, "pixels": {"warnings": []}}, ()),
        ({"dataset": {"warning": "few"}}, ("few",)),
        ({"dataset": {"warning": "few"}, "pixels": {"warnings": ["dark", "poor"]}}, ("few", "dark", "poor")),
        ({"dataset": "mnist", "pixels": {"warnings": "dark"}}, ()),
    ],
)
def test_warnings_are_of_the_data_and_of_the_pixels(
    contract: Contract, origin: dict[str, Any], warnings: tuple[str, ...]
) -> None:
    assert replace(contract, origin=origin).warnings == warnings


def test_the_least_that_a_contract_says_is_enough() -> None:
    least = Contract(
        format="onnx",
        quantization="none",
        labels=("a", "b"),
        input=InputSpec("float32", 1.0, 0),
        output=OutputSpec("float32", 1.0, 0),
        payload=Payload(1, "00" * 32),
        selftest=SelfTest("absolute", {}, 0.0),
    )

    assert Contract.from_json(least.to_json()) == least
    assert (least.output.temperature, least.output.threshold) == (1.0, None)


def test_the_text_names_its_version_and_is_canonical(contract: Contract) -> None:
    document = json.loads(contract.to_json())

    assert document["contract"] == VERSION
    assert list(document) == sorted(document)
    assert list(document["origin"]) == sorted(document["origin"])
    assert Contract.from_json(json.dumps(dict(reversed(document.items())))).to_json() == contract.to_json()


def test_a_contract_cannot_be_changed(contract: Contract) -> None:
    with pytest.raises(FrozenInstanceError):
        contract.format = "onnx"  # type: ignore[misc]


@pytest.mark.parametrize("version", [f"{VERSION}.1", f"{VERSION}.12"])
def test_a_newer_minor_revision_is_read(contract: Contract, version: str) -> None:
    assert Contract.from_json(_edited(contract, "contract", version)) == contract


@pytest.mark.parametrize("version", ["mnist-edge/2", "mnist-edge/10", "mnist-edge/0.9", "other/1", "", 1, None])
def test_another_major_version_is_refused(contract: Contract, version: object) -> None:
    with pytest.raises(ModelError, match="install the runtime of the mnist-edge that made it"):
        Contract.from_json(_edited(contract, "contract", version))


@pytest.mark.parametrize("path", ["novelty", "input.novelty", "output.novelty", "payload.novelty", "selftest.novelty"])
def test_unknown_keys_are_left_aside(contract: Contract, path: str) -> None:
    assert Contract.from_json(_edited(contract, path, {"of": "the future"})) == contract


@pytest.mark.parametrize("path", ["output.temperature", "output.threshold", "origin", "parity", "runtimes"])
def test_optional_keys_may_be_missing(contract: Contract, path: str) -> None:
    assert Contract.from_json(_edited(contract, path, ...)) != contract


@pytest.mark.parametrize(
    "path",
    [
        "format", "quantization", "labels", "input", "input.dtype", "input.scale", "input.shape", "output",
        "output.scale", "output.zero_point", "payload", "payload.size", "payload.sha256", "selftest", "selftest.unit",
    ],
)  # fmt: skip
def test_other_keys_may_not(contract: Contract, path: str) -> None:
    with pytest.raises(ModelError, match="not valid"):
        Contract.from_json(_edited(contract, path, ...))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("format", "coreml"),
        ("input.dtype", "float16"),
        ("input.dtype", "int16"),
        ("input.shape", [1, 1, 28, 28]),
        ("input.shape", [2, 28, 28, 1]),
        ("input.polarity", "black on white"),
        ("input.real_value", "pixel"),
        ("input.scale", 0),
        ("input.scale", -1.0),
        ("output.dtype", "float64"),
        ("output.scale", 0.0),
        ("output.scale", float("nan")),
        ("output.scale", float("inf")),
        ("output.temperature", 0.0),
        ("output.temperature", -1.0),
        ("selftest.unit", "percent"),
        ("labels", []),
        ("labels", ["zero"]),
        ("labels", ["zero", "one", "zero"]),
        ("output.temperature", 1e-320),
        ("output.temperature", 1e-4),
        ("output.temperature", 1e4),
        ("output.softening", 1e-39),
        ("output.softening", 1e39),
        ("output.threshold", -0.1),
        ("output.threshold", 1.1),
        ("input.scale", 1e-46),
        ("output.scale", 1e39),
        ("output.zero_point", 256),
        ("output.zero_point", -1),
        ("input.zero_point", 10**18),
        ("payload.size", -1),
        ("payload.sha256", "AB" * 32),
        ("payload.sha256", "ab" * 31),
        ("selftest.probability", 1.5),
        ("selftest.logits", {"selftest.logits": -1}),
        ("input.preprocessing", "mnist/7"),
        ("input.preprocessing", "mnist"),
    ],
)
def test_values_that_this_version_does_not_know_are_refused(contract: Contract, path: str, value: object) -> None:
    with pytest.raises(ModelError, match=path):
        Contract.from_json(_edited(contract, path, value))


@pytest.mark.parametrize("name", ["mnist/1", None])
def test_the_preprocessing_is_named(contract: Contract, name: str | None) -> None:
    assert Contract.from_json(_edited(contract, "input.preprocessing", name)).input.preprocessing == name


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("labels", None),
        ("input", []),
        ("input.scale", "1"),
        ("input.shape", 28),
        ("output", None),
        ("output.temperature", "warm"),
        ("output.threshold", "high"),
        ("output.threshold", float("nan")),
        ("payload", "1234"),
        ("selftest", []),
        ("selftest.logits", None),
        ("selftest.logits", [0.0]),
        ("selftest.logits", {"xnnpack": "none"}),
        ("selftest.probability", "small"),
        ("origin", "a run"),
        ("parity", ["passed"]),
        ("runtimes", [1]),
        ("runtimes", [{"engine": 1}]),
        ("runtimes", [{"engine": "litert", "images": "10000"}]),
        ("runtimes", [{"engine": "litert", "version": None}]),
        ("format", 1),
        ("quantization", ["int8"]),
        ("quantization", "int8\x1b[31m"),
        ("labels", ["zero", 1, None]),
        ("input.scale", True),
        ("input.shape", [True, 28, 28, 1]),
        ("input.shape", [1.0, 28, 28, 1]),
        ("input.zero_point", False),
        ("output.zero_point", 130.0),
        ("output.temperature", True),
        ("output.threshold", True),
        ("output.chosen_on", 5000),
        ("payload.size", 1234.0),
        ("payload.size", True),
        ("payload.sha256", 0),
        ("selftest.probability", True),
        ("selftest.logits", {"xnnpack": True}),
        ("selftest.logits", {"xnnpack": 10**400}),
        ("origin", {"seed": 10**400}),
        ("parity", {"accuracy": float("nan")}),
        ("parity", {"accuracy": [0.1, float("inf")]}),
        ("labels", ["zero", "\ud800"]),
    ],
)
def test_values_of_another_type_are_refused(contract: Contract, path: str, value: object) -> None:
    with pytest.raises(ModelError, match="not valid"):
        Contract.from_json(_edited(contract, path, value))


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "null", '"mnist-edge/1"', "{}", b"\xff\xfe\xfd", "[" * 100_000),
        '{"contract": "mnist-edge/1", "contract": "mnist-edge/1"}',
        b'\xef\xbb\xbf{"contract": "mnist-edge/1"}',
        '{"contract": "mnist-edge/1"}'.encode("utf-16"),
    ],
    ids=[
        *("empty", "half", "list", "null", "string", "no version", "not UTF-8", "deeply nested"),
        *("a key twice", "byte order mark", "UTF-16"),
    ],
)
def test_what_is_no_contract_is_refused(text: str | bytes) -> None:
    with pytest.raises(ModelError, match="cannot be read") as refused:
        Contract.from_json(text)
    for words in ("recursion", "indices", "set_int", "codec", "NoneType", "subscriptable"):
        assert words not in str(refused.value)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("input", [1], r"input is \[1\], expected an object"),
        ("output", 7, "output is 7, expected an object"),
        ("payload", None, "payload is None, expected an object"),
        ("selftest", "x", "selftest is 'x', expected an object"),
        ("input.shape", 7, "input.shape is 7, expected a list"),
        ("input.shape", ..., "input has no field 'shape'"),
        ("runtimes", 7, "runtimes is 7, expected a list"),
        ("labels", ..., "it has no field 'labels'"),
    ],
)
def test_a_part_of_another_kind_is_named_in_plain_words(
    contract: Contract, path: str, value: Any, message: str
) -> None:
    with pytest.raises(ModelError, match=f"not valid: {message}"):
        Contract.from_json(_edited(contract, path, value))


@pytest.mark.parametrize(
    "change",
    [
        {"contract": "x" * 5000},
        {"contract": ["x" * 5000]},
        {"labels": ["x" * 5000] * 2},
        {"labels": {"x" * 5000: 1}},
        {"parity": "x" * 5000},
        {"runtimes": ["x" * 5000]},
        {"format": "x" * 5000},
        {"quantization": "x\n" * 5000},
    ],
    ids=str,
)
def test_a_value_is_told_in_short(contract: Contract, change: dict[str, object]) -> None:
    document = {**json.loads(contract.to_json()), **change}
    with pytest.raises(ModelError) as caught:
        Contract.from_json(json.dumps(document))
    assert len(str(caught.value)) < 400
    assert "\n" not in str(caught.value)
