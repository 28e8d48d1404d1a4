from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import subprocess
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from ai_edge_litert.interpreter import Interpreter
from mnist_edge_runtime import Classifier, ModelError
from mnist_edge_runtime.engines import registry
from mnist_edge_runtime.model_file import protobuf, sealed_model
from mnist_edge_runtime.model_file.sealed_model import SealedModel

Members = dict[str, bytes]

ZIP_NAMES = ("contract.json", "golden.npz", "labels.txt")
PROPERTIES = ("mnist-edge.contract", "mnist-edge.golden", "labels")
METADATA_PROPS = 14
DIGEST = 64


@pytest.fixture
def data(int8_file: Path) -> bytes:
    return int8_file.read_bytes()


@pytest.fixture
def changed(int8_file: Path, tmp_path: Path) -> Path:
    """Return where to put a changed copy of the file; its name is as good as the file's own."""
    return tmp_path / f"changed{int8_file.suffix}"


@pytest.fixture
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail the test as soon as an engine is asked for."""

    def load(*arguments: object, **options: object) -> None:
        pytest.fail("an engine was given bytes that had not passed all checks")

    monkeypatch.setattr(registry, "load", load)


def _sign(body: bytes) -> bytes:
    """Return `body` with a valid digest behind it, as an attacker would."""
    return body + hashlib.sha256(body).hexdigest().encode()


def _is_refused(file: Path, data: bytes) -> bool:
    """Load `data` as a classifier would be; a ModelError must come from the file's checks and from no engine."""
    file.write_bytes(data)
    try:
        Classifier.load(file)
    except ModelError as error:
        return type(error) is ModelError
    return False


def _members(sealed: SealedModel) -> Members:
    labels = "".join(f"{label}\n" for label in sealed.contract.labels)
    return {
        "contract": sealed.contract.to_json().encode(),
        "golden": sealed.golden_bytes,
        "labels": labels.encode(),
    }


def _forge(format: str, payload: bytes, members: Mapping[str, bytes]) -> bytes:
    """Return a file sealed by other code than the product's, with whatever members, and a valid digest.

    Members called contract, golden and labels get the names they have in real files; others keep theirs.
    """
    if format == "tflite":
        names = dict(zip(("contract", "golden", "labels"), ZIP_NAMES, strict=True))
        buffer = io.BytesIO(payload)
        with zipfile.ZipFile(buffer, "a") as archive:
            for name, content in members.items():
                archive.writestr(names.get(name, name), content, zipfile.ZIP_DEFLATED)
            archive.comment = b"mnist-edge sha256:" + bytes(DIGEST)
        return _sign(buffer.getvalue()[:-DIGEST])
    names = dict(zip(("contract", "golden", "labels"), PROPERTIES, strict=True))
    entries = {**members, "mnist-edge.sha256": bytes(DIGEST)}
    if "golden" in members:
        entries["golden"] = base64.b64encode(members["golden"])
    trailer = b"".join(
        protobuf.metadata_entry(METADATA_PROPS, names.get(name, name).encode(), value)
        for name, value in entries.items()
    )
    return _sign(payload + trailer[:-DIGEST])


def _edit(members: Members, **changes: Any) -> Members:
    """Return the members with top-level keys of the contract replaced."""
    document = {**json.loads(members["contract"]), **changes}
    return {**members, "contract": json.dumps(document).encode()}


def test_a_round_trip_changes_nothing(model_file: Path) -> None:
    sealed = sealed_model.read(model_file)
    data = sealed_model.seal(sealed.payload, sealed.contract, sealed.golden)

    assert data == model_file.read_bytes()
    assert sealed_model.unseal(data) == sealed
    assert data.startswith(sealed.payload)
    assert sealed.golden.to_bytes() == sealed.golden_bytes


def test_equal_input_gives_equal_bytes(int8_file: Path) -> None:
    first, second = sealed_model.read(int8_file), sealed_model.read(str(int8_file))

    assert first == second
    assert sealed_model.seal(first.payload, first.contract, first.golden) == sealed_model.seal(
        second.payload, second.contract, second.golden
    )


def test_the_file_ends_in_the_digest_of_all_before(data: bytes) -> None:
    assert _sign(data[:-DIGEST]) == data


def test_a_contract_of_another_payload_is_not_sealed(int8_file: Path) -> None:
    sealed = sealed_model.read(int8_file)

    with pytest.raises(ValueError, match="another payload"):
        sealed_model.seal(sealed.payload + b"\0", sealed.contract, sealed.golden)


@pytest.mark.parametrize("labels", [("zero", "zwölf"), ("", " "), ("数字", "½"), ("a\tb", "c,d")], ids=ascii)
def test_labels_may_be_any_line_of_text(int8_file: Path, labels: tuple[str, ...]) -> None:
    sealed = sealed_model.read(int8_file)
    contract = replace(sealed.contract, labels=labels)

    assert sealed_model.unseal(sealed_model.seal(sealed.payload, contract, sealed.golden)).contract.labels == labels


@pytest.mark.parametrize("label", ["a\nb", "a\r", "a\u2028b"], ids=ascii)
def test_a_label_with_a_line_break_is_refused_or_kept(int8_file: Path, label: str) -> None:
    """What `seal` returns can be read again, in any case."""
    sealed = sealed_model.read(int8_file)
    contract = replace(sealed.contract, labels=(label, "other"))

    try:
        data = sealed_model.seal(sealed.payload, contract, sealed.golden)
    except (ValueError, ModelError):
        return
    assert sealed_model.unseal(data).contract == contract


def test_a_flipped_bit_anywhere_is_found(data: bytes, changed: Path, no_engine: None) -> None:
    random = np.random.default_rng(0)
    end, trailer = len(data), sealed_model.unseal(data).contract.payload.size
    places = {(int(place), int(random.integers(8))) for place in random.integers(0, end, 300)}
    places |= {(place, bit) for place in (0, 1, trailer - 1, trailer, end - DIGEST - 1) for bit in range(8)}
    places |= {(place, bit) for place in range(end - DIGEST, end) for bit in range(8)}

    undetected = []
    for place, bit in sorted(places):
        damaged = bytearray(data)
        damaged[place] ^= 1 << bit
        if not _is_refused(changed, bytes(damaged)):
            undetected.append((place, bit))

    assert undetected == []


def test_a_file_cut_anywhere_is_found(data: bytes, changed: Path, no_engine: None) -> None:
    random = np.random.default_rng(1)
    end, trailer = len(data), sealed_model.unseal(data).contract.payload.size
    lengths = {int(length) for length in random.integers(0, end, 60)}
    lengths |= {0, 1, DIGEST - 1, DIGEST, DIGEST + 1, trailer - 1, trailer, trailer + 1, end - 2, end - 1}
    lengths |= {end - DIGEST + change for change in (-19, -18, -1, 0, 1)}

    undetected = [length for length in sorted(lengths) if not _is_refused(changed, data[:length])]
    lengths.remove(end - DIGEST)  # to sign this one is to make the file whole again
    signed = [length for length in sorted(lengths) if not _is_refused(changed, _sign(data[:length]))]

    assert (undetected, signed) == ([], [])


@pytest.mark.parametrize("excess", [b"\0", b"\n", b"0" * DIGEST, b"more than a few bytes"], ids=repr)
def test_bytes_beyond_the_end_are_found(data: bytes, changed: Path, no_engine: None, excess: bytes) -> None:
    assert _is_refused(changed, data + excess)
    assert _is_refused(changed, _sign(data[:-DIGEST] + excess))
    assert _is_refused(changed, _sign(data))


@pytest.mark.parametrize("size", [1, 8, 64, 4096])
def test_a_gap_between_payload_and_trailer_is_found(data: bytes, changed: Path, no_engine: None, size: int) -> None:
    start = sealed_model.unseal(data).contract.payload.size
    field = protobuf.metadata_entry(METADATA_PROPS, b"stranger", b"x" * size)
    for gap in (bytes(size), b"\xa5" * size, field):
        widened = data[:start] + gap + data[start:]

        assert _is_refused(changed, widened)
        assert _is_refused(changed, _sign(widened[:-DIGEST]))


def test_a_payload_that_lost_bytes_is_found(data: bytes, changed: Path, no_engine: None) -> None:
    start = sealed_model.unseal(data).contract.payload.size
    for lost in (slice(0, 1), slice(start - 1, start), slice(1000, 1064)):
        shortened = data[: lost.start] + data[lost.stop :]

        assert _is_refused(changed, shortened)
        assert _is_refused(changed, _sign(shortened[:-DIGEST]))


def test_whatever_an_attacker_changes_in_the_trailer_only_model_errors_come_of_it(data: bytes) -> None:
    random = np.random.default_rng(2)
    body, start = data[:-DIGEST], sealed_model.unseal(data).contract.payload.size
    places = {int(place) for place in random.integers(start, len(body), 300)} | set(range(len(body) - 150, len(body)))

    others = []
    for place in sorted(places):
        damaged = bytearray(body)
        damaged[place] ^= 1 << int(random.integers(8))
        try:
            sealed_model.unseal(_sign(bytes(damaged))).golden  # noqa: B018
        except ModelError:
            pass
        except Exception as error:
            others.append((place, repr(error)))

    assert others == []


def test_engines_of_a_damaged_file_are_not_even_imported(
    data: bytes, changed: Path, device: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    changed.write_bytes(data[:100] + bytes([data[100] ^ 1]) + data[101:])
    result = device("selftest", changed, env={**os.environ, "PYTHONPROFILEIMPORTTIME": "1"})

    assert result.returncode == 4
    assert "mnist_edge_runtime.model_file.sealed_model" in result.stderr  # imports are listed
    assert not any(row.library.partition(".")[0] in result.stderr for row in registry.ENGINES.values())


def test_a_plain_model_is_refused_with_the_way_to_make_a_sealed_one(model_file: Path, tmp_path: Path) -> None:
    plain = tmp_path / f"plain{model_file.suffix}"
    plain.write_bytes(sealed_model.read(model_file).payload)

    with pytest.raises(ModelError, match=r"plain\..*: .*mnist-edge export --model"):
        sealed_model.read(plain)


@pytest.mark.parametrize("content", [b"", b"\n", b"an essay " * 100, bytes(1000)], ids=["empty", "line", "text", "0"])
def test_any_other_file_is_refused(tmp_path: Path, content: bytes, no_engine: None) -> None:
    assert _is_refused(tmp_path / "other.tflite", content)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: data[:-1], "cut short"),
        (lambda data: data + b"\n", "beyond its end"),
        (lambda data: data[:5000] + b"!" + data[5001:], "SHA-256"),
    ],
    ids=["cut", "longer", "altered"],
)
def test_the_message_says_what_happened_to_which_file(
    data: bytes, changed: Path, damage: Callable[[bytes], bytes], message: str
) -> None:
    changed.write_bytes(damage(data))

    with pytest.raises(ModelError, match=rf"{changed.name}: .*{message}"):
        sealed_model.read(changed)


def test_a_file_under_the_name_of_the_other_format_is_refused(int8_file: Path, tmp_path: Path) -> None:
    other = tmp_path / f"digits{ {'.tflite': '.onnx', '.onnx': '.tflite'}[int8_file.suffix] }"
    other.write_bytes(int8_file.read_bytes())

    with pytest.raises(ModelError, match="under another name"):
        sealed_model.read(other)


def test_an_archive_that_unpacks_to_more_than_the_size_cap_is_refused(tflite_file: Path) -> None:
    sealed = sealed_model.read(tflite_file)
    members = {**_members(sealed), "labels": bytes(sealed_model.MAX_TRAILER_BYTES)}

    with pytest.raises(ModelError, match="unpack to more"):
        sealed_model.unseal(_forge("tflite", sealed.payload, members))


def _stranger(**changes: Any) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo("labels.txt")
    for name, value in changes.items():
        setattr(entry, name, value)
    return entry


@pytest.mark.parametrize(
    "entry",
    [
        _stranger(external_attr=0o120777 << 16),
        _stranger(external_attr=0o040755 << 16),
        _stranger(compress_type=zipfile.ZIP_LZMA),
        _stranger(compress_type=zipfile.ZIP_BZIP2),
        _stranger(extra=b"\x99\x99\x04\x00abcd"),
        _stranger(comment=b"hello"),
    ],
    ids=["link", "folder", "LZMA", "BZIP2", "extra field", "comment"],
)
def test_odd_members_of_the_archive_are_refused(tflite_file: Path, entry: zipfile.ZipInfo) -> None:
    sealed = sealed_model.read(tflite_file)
    *others, labels = _members(sealed).values()
    buffer = io.BytesIO(sealed.payload)
    with zipfile.ZipFile(buffer, "a") as archive:
        for name, content in zip(ZIP_NAMES, others, strict=False):
            archive.writestr(name, content)
        archive.writestr(entry, labels)
        archive.comment = b"mnist-edge sha256:" + bytes(DIGEST)

    with pytest.raises(ModelError, match="no plain member"):
        sealed_model.unseal(_sign(buffer.getvalue()[:-DIGEST]))


def test_bytes_between_the_members_of_the_archive_are_refused(tflite_file: Path) -> None:
    sealed = sealed_model.read(tflite_file)
    buffer = io.BytesIO()
    buffer.write(sealed.payload)
    with zipfile.ZipFile(buffer, "a") as archive:
        for name, content in zip(ZIP_NAMES, _members(sealed).values(), strict=True):
            archive.writestr(name, content)
            buffer.write(b"hidden")
            archive.start_dir = buffer.tell()
        archive.comment = b"mnist-edge sha256:" + bytes(DIGEST)

    with pytest.raises(ModelError, match=r"no plain member|between its members"):
        sealed_model.unseal(_sign(buffer.getvalue()[:-DIGEST]))


def test_an_entry_with_more_than_a_key_and_a_value_is_refused(files: Mapping[str, Path]) -> None:
    sealed = sealed_model.read(files["onnx-int8"])
    data = _forge("onnx", sealed.payload, _members(sealed))
    entry = protobuf.metadata_entry(METADATA_PROPS, b"labels", _members(sealed)["labels"])
    swapped = bytes((entry[0], entry[1])) + entry[10:] + entry[2:10]  # the value before its key
    assert entry in data

    with pytest.raises(ModelError, match="trailer"):
        sealed_model.unseal(_sign(data.replace(entry, swapped)[:-DIGEST]))


def test_golden_vectors_that_unpack_to_too_much_are_refused(tflite_file: Path) -> None:
    sealed = sealed_model.read(tflite_file)
    bomb = io.BytesIO()
    np.savez_compressed(bomb, images=np.zeros((100_000, 28, 28), np.uint8))
    forged = sealed_model.unseal(_forge("tflite", sealed.payload, {**_members(sealed), "golden": bomb.getvalue()}))

    with pytest.raises(ModelError, match="unpack to more than 64 MiB"):
        forged.golden  # noqa: B018


def test_operators_are_checked_before_an_engine_is_made(
    int8_file: Path, reseal: Callable[..., Path], no_engine: None
) -> None:
    with pytest.raises(ModelError, match=r"is no (tflite|onnx) model"):
        Classifier.load(reseal(int8_file, payload=lambda payload: b""))


def test_what_other_code_seals_by_the_same_rules_is_accepted(int8_file: Path) -> None:
    """The forgeries below are refused for what is wrong with them, not because they are forgeries."""
    sealed = sealed_model.read(int8_file)
    forged = _forge(sealed.contract.format, sealed.payload, _members(sealed))

    assert sealed_model.unseal(forged) == sealed


@pytest.mark.parametrize("version", ["mnist-edge/1", "mnist-edge/1.4"])
def test_a_newer_minor_revision_with_unknown_keys_is_accepted(int8_file: Path, version: str) -> None:
    sealed = sealed_model.read(int8_file)
    members = _edit(_members(sealed), contract=version, novelty=[1, {"two": 3}])

    assert sealed_model.unseal(_forge(sealed.contract.format, sealed.payload, members)) == sealed


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
        (lambda members: _edit(members, contract="mnist-edge/2"), "newer mnist-edge-runtime"),
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
    int8_file: Path, change: Callable[[Members], Members], message: str
) -> None:
    sealed = sealed_model.read(int8_file)
    forged = _forge(sealed.contract.format, sealed.payload, change(_members(sealed)))

    with pytest.raises(ModelError, match=message):
        sealed_model.unseal(forged)


def test_another_payload_with_a_valid_digest_is_refused(int8_file: Path) -> None:
    sealed = sealed_model.read(int8_file)
    other = bytearray(sealed.payload)
    other[-1000] ^= 1

    with pytest.raises(ModelError, match="payload is not the one"):
        sealed_model.unseal(_forge(sealed.contract.format, bytes(other), _members(sealed)))


def test_a_contract_of_the_other_format_is_refused(int8_file: Path) -> None:
    sealed = sealed_model.read(int8_file)
    other = {"tflite": "onnx", "onnx": "tflite"}[sealed.contract.format]

    with pytest.raises(ModelError, match="other format"):
        sealed_model.unseal(_forge(sealed.contract.format, sealed.payload, _edit(_members(sealed), format=other)))


def test_golden_vectors_that_cannot_be_read_are_a_model_error(int8_file: Path) -> None:
    sealed = sealed_model.read(int8_file)
    members = {**_members(sealed), "golden": b"no archive"}
    forged = sealed_model.unseal(_forge(sealed.contract.format, sealed.payload, members))

    with pytest.raises(ModelError, match="golden vectors"):
        forged.golden  # noqa: B018


def test_golden_vectors_in_another_alphabet_are_refused(files: Mapping[str, Path]) -> None:
    data = files["onnx-int8"].read_bytes()
    golden = base64.b64encode(sealed_model.unseal(data).golden_bytes)
    forged = data.replace(golden, golden[:96] + b"!!!!" + golden[100:])  # as many as can be left out unnoticed
    assert forged != data

    with pytest.raises(ModelError, match="trailer cannot be read"):
        sealed_model.unseal(_sign(forged[:-DIGEST]))


def test_sealed_tflite_is_still_a_zip_archive(tflite_file: Path) -> None:
    data = tflite_file.read_bytes()
    with zipfile.ZipFile(tflite_file) as archive:
        assert archive.testzip() is None
        assert tuple(archive.namelist()) == ZIP_NAMES
        assert json.loads(archive.read("contract.json"))["format"] == "tflite"
        assert archive.read("labels.txt").decode().split() == list("0123456789")
        assert archive.comment.decode() == f"mnist-edge sha256:{hashlib.sha256(data[:-DIGEST]).hexdigest()}"


def test_litert_reads_the_whole_sealed_file(tflite_file: Path) -> None:
    sealed = sealed_model.read(tflite_file)
    tensor = sealed.golden.images[:1, ..., np.newaxis]

    answers = []
    for content in (tflite_file.read_bytes(), sealed.payload):
        interpreter = Interpreter(model_content=content)
        interpreter.allocate_tensors()
        interpreter.set_tensor(interpreter.get_input_details()[0]["index"], tensor)
        interpreter.invoke()
        answers.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))

    np.testing.assert_array_equal(*answers)


@pytest.mark.parametrize("cell", ["onnx-none", "onnx-int8"])
def test_sealed_onnx_is_still_an_onnx_model(files: Mapping[str, Path], cell: str) -> None:
    data = files[cell].read_bytes()
    model = onnx.load_from_string(data)
    onnx.checker.check_model(model, full_check=True)

    entries = {entry.key: entry.value for entry in model.metadata_props}

    # The author is the model's own entry; the trailer's stand behind it.
    assert tuple(entries) == ("model_author", *PROPERTIES, "mnist-edge.sha256")
    assert entries["mnist-edge.sha256"] == hashlib.sha256(data[:-DIGEST]).hexdigest()
    assert json.loads(entries["mnist-edge.contract"])["format"] == "onnx"


@pytest.mark.parametrize("cell", ["onnx-none", "onnx-int8"])
def test_onnxruntime_reads_the_whole_sealed_file(files: Mapping[str, Path], cell: str) -> None:
    sealed = sealed_model.read(files[cell])
    session = onnxruntime.InferenceSession(str(files[cell]), providers=["CPUExecutionProvider"])
    plain = onnxruntime.InferenceSession(sealed.payload, providers=["CPUExecutionProvider"])
    tensor = np.zeros((1, 28, 28, 1), sealed.contract.input.dtype)

    assert session.get_modelmeta().custom_metadata_map["labels"].split() == list("0123456789")
    np.testing.assert_array_equal(session.run(None, {"image": tensor}), plain.run(None, {"image": tensor}))
