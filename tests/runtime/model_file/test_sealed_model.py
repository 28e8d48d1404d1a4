from __future__ import annotations

import os
import re
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from mnist_edge_runtime import Contract, InputError, ModelError
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.model_file.formats.registry import FORMATS

DIGEST = 64


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


def test_the_file_ends_in_the_digest_of_all_before(data: bytes, sign: Callable[[bytes], bytes]) -> None:
    assert sign(data[:-DIGEST]) == data


def test_a_contract_of_another_payload_is_not_sealed(int8_file: Path) -> None:
    sealed = sealed_model.read(int8_file)

    with pytest.raises(ValueError, match="another payload"):
        sealed_model.seal(sealed.payload + b"\0", sealed.contract, sealed.golden)


@pytest.mark.parametrize("labels", [("zero", "zwölf"), ("数字", "½"), ("a\tb", "c,d")], ids=ascii)
def test_labels_may_be_any_line_of_text(int8_file: Path, labels: tuple[str, ...]) -> None:
    sealed = sealed_model.read(int8_file)
    contract = replace(sealed.contract, labels=labels)

    assert sealed_model.unseal(sealed_model.seal(sealed.payload, contract, sealed.golden)).contract.labels == labels


@pytest.mark.parametrize("label", ["", " ", "\t"], ids=ascii)
def test_a_label_that_shows_nothing_is_refused(int8_file: Path, label: str) -> None:
    contract = replace(sealed_model.read(int8_file).contract, labels=(label, "other"))

    with pytest.raises(ValueError, match="labels are"):
        sealed_model.seal(sealed_model.read(int8_file).payload, contract, sealed_model.read(int8_file).golden)
    with pytest.raises(ModelError, match=r"labels are .* none of them blank"):
        Contract.from_json(contract.to_json())


def test_an_error_about_golden_vectors_names_the_file(int8_file: Path) -> None:
    sealed = replace(sealed_model.read(int8_file), golden_bytes=b"rubbish")

    with pytest.raises(ModelError, match=f"^{re.escape(str(int8_file))}: the golden vectors inside the file"):
        _ = sealed.golden


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


def test_a_plain_model_is_refused_with_the_way_to_make_a_sealed_one(model_file: Path, tmp_path: Path) -> None:
    plain = tmp_path / f"plain{model_file.suffix}"
    plain.write_bytes(sealed_model.read(model_file).payload)

    with pytest.raises(ModelError, match=r"plain\..*: .*mnist-edge export --model"):
        sealed_model.read(plain)


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


@pytest.mark.parametrize(("name", "format"), [("a.tflite", "tflite"), ("b.onnx", "onnx"), ("C.ONNX", "onnx")])
def test_the_bytes_and_the_format_of_the_name(tmp_path: Path, name: str, format: str) -> None:
    (tmp_path / name).write_bytes(b"content")

    assert sealed_model.read_bytes(tmp_path / name) == (b"content", FORMATS[format])


@pytest.mark.parametrize("name", ["model.keras", "model.h5", "model.pkl", "model", "model.tflite.zip", ".tflite"])
def test_a_foreign_extension_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"content")
    with pytest.raises(ModelError, match=r"models end in \.tflite or \.onnx; .*mnist-edge export"):
        sealed_model.read_bytes(tmp_path / name)


def test_a_file_that_is_not_there_or_is_a_folder_is_an_input_error_or_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.tflite").mkdir()

    with pytest.raises(InputError, match=r"missing\.tflite: No such file"):
        sealed_model.read_bytes(tmp_path / "missing.tflite")
    with pytest.raises(InputError, match=r"folder\.tflite: Is a directory"):
        sealed_model.read_bytes(tmp_path / "folder.tflite")


def test_it_takes_no_more_memory_than_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_bytes(bytes(100_000))
    tracemalloc.start()
    try:
        sealed_model.read_bytes(tmp_path / "a.onnx")
        assert tracemalloc.get_traced_memory()[1] < 300_000
    finally:
        tracemalloc.stop()


def test_a_file_beyond_the_size_cap_is_refused_unread(tmp_path: Path) -> None:
    file = tmp_path / "huge.onnx"
    with file.open("wb") as sparse:
        sparse.truncate(sealed_model.MAX_BYTES + 1)

    with pytest.raises(ModelError, match="larger than 256 MiB"):
        sealed_model.read_bytes(file)


def test_a_link_to_a_regular_file_is_followed(tmp_path: Path) -> None:
    (tmp_path / "version-3").write_bytes(b"content")
    (tmp_path / "current.tflite").symlink_to("version-3")

    assert sealed_model.read_bytes(tmp_path / "current.tflite") == (b"content", FORMATS["tflite"])


def test_a_link_to_itself_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "loop.tflite").symlink_to("loop.tflite")

    with pytest.raises(InputError, match=r"loop\.tflite: "):
        sealed_model.read_bytes(tmp_path / "loop.tflite")


def test_what_is_no_regular_file_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.tflite")
    (tmp_path / "endless.onnx").symlink_to("/dev/zero")

    for name in ("pipe.tflite", "endless.onnx"):
        with pytest.raises(ModelError, match="no regular file"):
            sealed_model.read_bytes(tmp_path / name)


@pytest.mark.parametrize("name", ["nope", "nope.tflite", "folder", "folder.onnx", "", "no\0name.onnx", "n" * 300])
def test_what_is_not_there_is_bad_input_whatever_its_name(tmp_path: Path, name: str) -> None:
    for folder in ("folder", "folder.onnx"):
        (tmp_path / folder).mkdir()
    with pytest.raises(InputError, match=r"name a \.tflite or \.onnx file"):
        sealed_model.read(f"{tmp_path}/{name}")


def test_another_suffix_is_an_unfit_model(tmp_path: Path) -> None:
    (tmp_path / "model.keras").write_bytes(b"PK")
    with pytest.raises(ModelError, match="models end in"):
        sealed_model.read(tmp_path / "model.keras")
