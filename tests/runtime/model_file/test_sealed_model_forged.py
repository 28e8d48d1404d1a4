from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mnist_edge_runtime import Classifier, ModelError
from mnist_edge_runtime.model_file import sealed_model

Members = dict[str, bytes]


def _edit(members: Members, **changes: Any) -> Members:
    """Return the members with top-level keys of the contract replaced."""
    document = {**json.loads(members["contract"]), **changes}
    return {**members, "contract": json.dumps(document).encode()}


def test_operators_are_checked_before_an_engine_is_made(
    int8_file: Path, reseal: Callable[..., Path], no_engine: None
) -> None:
    with pytest.raises(ModelError, match=r"is no (tflite|onnx) model"):
        Classifier.load(reseal(int8_file, payload=lambda payload: b""))


def test_what_other_code_seals_by_the_same_rules_is_accepted(
    int8_file: Path, members: Callable[..., Members], forge: Callable[..., bytes]
) -> None:
    """The forgeries below are refused for what is wrong with them, not because they are forgeries."""
    sealed = sealed_model.read(int8_file)
    forged = forge(sealed.contract.format, sealed.payload, members(sealed))

    assert sealed_model.unseal(forged) == sealed


@pytest.mark.parametrize("version", ["mnist-edge/1", "mnist-edge/1.4"])
def test_a_newer_minor_revision_with_unknown_keys_is_accepted(
    int8_file: Path, version: str, members: Callable[..., Members], forge: Callable[..., bytes]
) -> None:
    sealed = sealed_model.read(int8_file)
    members = _edit(members(sealed), contract=version, novelty=[1, {"two": 3}])

    assert sealed_model.unseal(forge(sealed.contract.format, sealed.payload, members)) == sealed


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda members: {**members, "extra.txt": b"stranger"}, "trailer"),
        (lambda members: {"extra.txt": b"stranger", **members}, "trailer"),
        (lambda members: dict(reversed(members.items())), "expected"),
        (lambda members: {name: members[name] for name in ("golden", "contract", "labels")}, "expected"),
        (lambda members: {name: members[name] for name in ("contract", "golden")}, "trailer"),
        (lambda members: {"contract": members["contract"], "golden": members["golden"], "lables": b""}, "expected"),
        (lambda members: {}, "trailer"),
        (lambda members: {**members, "labels": members["labels"].replace(b"0\n1\n", b"1\n0\n")}, "labels"),
        (lambda members: {**members, "labels": members["labels"] + b"10\n"}, "labels"),
        (lambda members: {**members, "labels": b""}, "labels"),
        (lambda members: {**members, "labels": b"\xff" + members["labels"]}, "label|trailer"),
        (lambda members: {**members, "contract": b"{}"}, "contract"),
        (lambda members: {**members, "contract": b"\xff\xfe"}, "contract"),
        (lambda members: _edit(members, contract="mnist-edge/2"), "install the runtime of the mnist-edge that made it"),
        (lambda members: _edit(members, labels=[*"1023456789"]), "labels"),
        (lambda members: _edit(members, payload={"size": 10, "sha256": "0" * 64}), "begins at byte"),
    ],
    ids=[
        "a member more at the end",
        "a member more at the start",
        "members backwards",
        "two members exchanged",
        "a member less",
        "a member of another name",
        "no members",
        "labels exchanged",
        "a label more",
        "no labels",
        "labels not UTF-8",
        "empty contract",
        "contract not UTF-8",
        "another major version",
        "labels of the contract exchanged",
        "another size of the payload",
    ],
)
def test_a_forged_trailer_with_a_valid_digest_is_refused(
    int8_file: Path,
    change: Callable[[Members], Members],
    message: str,
    members: Callable[..., Members],
    forge: Callable[..., bytes],
) -> None:
    sealed = sealed_model.read(int8_file)
    forged = forge(sealed.contract.format, sealed.payload, change(members(sealed)))

    with pytest.raises(ModelError, match=message):
        sealed_model.unseal(forged)


def test_another_payload_with_a_valid_digest_is_refused(
    int8_file: Path, members: Callable[..., Members], forge: Callable[..., bytes]
) -> None:
    sealed = sealed_model.read(int8_file)
    other = bytearray(sealed.payload)
    other[-1000] ^= 1

    with pytest.raises(ModelError, match="payload is not the one"):
        sealed_model.unseal(forge(sealed.contract.format, bytes(other), members(sealed)))


def test_a_contract_of_the_other_format_is_refused(
    int8_file: Path, members: Callable[..., Members], forge: Callable[..., bytes]
) -> None:
    sealed = sealed_model.read(int8_file)
    other = {"tflite": "onnx", "onnx": "tflite"}[sealed.contract.format]

    with pytest.raises(ModelError, match=f"its trailer is that of {sealed.contract.format} files"):
        sealed_model.unseal(forge(sealed.contract.format, sealed.payload, _edit(members(sealed), format=other)))


def test_golden_vectors_that_cannot_be_read_are_a_model_error(
    int8_file: Path, members: Callable[..., Members], forge: Callable[..., bytes]
) -> None:
    sealed = sealed_model.read(int8_file)
    members = {**members(sealed), "golden": b"no archive"}
    forged = sealed_model.unseal(forge(sealed.contract.format, sealed.payload, members))

    with pytest.raises(ModelError, match="golden vectors"):
        forged.golden  # noqa: B018
