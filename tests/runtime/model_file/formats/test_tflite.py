from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from mnist_edge_runtime import ModelError
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.model_file.formats.base import MAX_TRAILER_BYTES
from mnist_edge_runtime.model_file.formats.registry import FORMATS

Members = dict[str, bytes]

ZIP_NAMES = ("contract.json", "golden.npz", "labels.txt")
DIGEST = 64


def test_an_archive_that_unpacks_to_more_than_the_size_cap_is_refused(
    tflite_file: Path, members: Callable[..., Members], forge: Callable[..., bytes]
) -> None:
    sealed = sealed_model.read(tflite_file)
    members = {**members(sealed), "labels": bytes(MAX_TRAILER_BYTES)}

    with pytest.raises(ModelError, match="unpack to more"):
        sealed_model.unseal(forge("tflite", sealed.payload, members))


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
def test_odd_members_of_the_archive_are_refused(
    tflite_file: Path, entry: zipfile.ZipInfo, sign: Callable[[bytes], bytes], members: Callable[..., Members]
) -> None:
    sealed = sealed_model.read(tflite_file)
    *others, labels = members(sealed).values()
    buffer = io.BytesIO(sealed.payload)
    with zipfile.ZipFile(buffer, "a") as archive:
        for name, content in zip(ZIP_NAMES, others, strict=False):
            archive.writestr(name, content)
        archive.writestr(entry, labels)
        archive.comment = b"mnist-edge sha256:" + bytes(DIGEST)

    with pytest.raises(ModelError, match="no plain member"):
        sealed_model.unseal(sign(buffer.getvalue()[:-DIGEST]))


def test_bytes_between_the_members_of_the_archive_are_refused(
    tflite_file: Path, sign: Callable[[bytes], bytes], members: Callable[..., Members]
) -> None:
    sealed = sealed_model.read(tflite_file)
    buffer = io.BytesIO()
    buffer.write(sealed.payload)
    with zipfile.ZipFile(buffer, "a") as archive:
        for name, content in zip(ZIP_NAMES, members(sealed).values(), strict=True):
            archive.writestr(name, content)
            buffer.write(b"hidden")
            archive.start_dir = buffer.tell()
        archive.comment = b"mnist-edge sha256:" + bytes(DIGEST)

    with pytest.raises(ModelError, match=r"no plain member|between its members"):
        sealed_model.unseal(sign(buffer.getvalue()[:-DIGEST]))


def test_golden_vectors_that_unpack_to_too_much_are_refused(
    tflite_file: Path, members: Callable[..., Members], forge: Callable[..., bytes]
) -> None:
    sealed = sealed_model.read(tflite_file)
    bomb = io.BytesIO()
    np.savez_compressed(bomb, images=np.zeros((100_000, 28, 28), np.uint8))
    forged = sealed_model.unseal(forge("tflite", sealed.payload, {**members(sealed), "golden": bomb.getvalue()}))

    with pytest.raises(ModelError, match="unpack to more than 64 MiB"):
        forged.golden  # noqa: B018


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


def _tflite(change: Callable[[Any], None]) -> bytes:
    """Return a model with one operator, changed."""
    import flatbuffers
    from tensorflow.lite.python import schema_py_generated as schema

    operator = schema.OperatorCodeT()
    operator.builtinCode = operator.deprecatedBuiltinCode = 0
    model = schema.ModelT()
    model.version, model.operatorCodes, model.subgraphs, model.buffers = 3, [operator], [], [schema.BufferT()]
    change(model)
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())


def _code(number: int) -> Callable[[Any], None]:
    def change(model: Any) -> None:
        model.operatorCodes[0].builtinCode, model.operatorCodes[0].deprecatedBuiltinCode = number, min(number, 127)

    return change


def _old_custom(model: Any) -> None:
    model.operatorCodes[0].deprecatedBuiltinCode, model.operatorCodes[0].customCode = 32, b"Foreign"


def _buffer_outside(model: Any) -> None:
    model.buffers[0].offset, model.buffers[0].size = 100_000, 4


def _buffer_elsewhere(model: Any) -> None:
    from tensorflow.lite.python import schema_py_generated as schema

    model.externalBuffers = [schema.ExternalBufferT()]


@pytest.mark.parametrize("number", [0, 3, 114, 119, 150, 203])
def test_allowed_tflite_operators(number: int) -> None:
    FORMATS["tflite"].check_operators(_tflite(_code(number)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_code(32), "a custom operator"),
        (_old_custom, "a custom operator"),
        (_code(51), "operator DELEGATE is not allowed"),
        (_code(142), "operator VAR_HANDLE is not allowed"),
        (_code(173), r"operator of a newer schema \(number 173\) is not allowed"),
        (_code(5000), r"operator of a newer schema \(number 5000\) is not allowed"),
        (_buffer_outside, "outside of the model"),
        (_buffer_elsewhere, "in other files"),
        (lambda model: model.operatorCodes.clear(), "names no operators"),
        (lambda model: model.operatorCodes.extend(model.operatorCodes * 1001), "more than 1000"),
    ],
    ids=["custom", "custom in an old file", "delegate", "variable", "StableHLO", "unknown", "buffer behind the model",
         "buffer in another file", "none", "too many"],
)  # fmt: skip
def test_tflite_models_that_are_refused(change: Callable[[Any], None], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        FORMATS["tflite"].check_operators(_tflite(change))
