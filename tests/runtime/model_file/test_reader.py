from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import pytest
from mnist_edge_runtime import InputError, ModelError
from mnist_edge_runtime.model_file import reader


@pytest.mark.parametrize(("name", "format"), [("a.tflite", "tflite"), ("b.onnx", "onnx"), ("C.ONNX", "onnx")])
def test_the_bytes_and_the_format_of_the_name(tmp_path: Path, name: str, format: str) -> None:
    (tmp_path / name).write_bytes(b"content")

    assert reader.read(tmp_path / name) == (b"content", format)


@pytest.mark.parametrize("name", ["model.keras", "model.h5", "model.pkl", "model", "model.tflite.zip", ".tflite"])
def test_a_foreign_extension_is_refused_unread(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelError, match=r"models end in \.tflite or \.onnx; .*mnist-edge export"):
        reader.read(tmp_path / name)


def test_a_file_that_is_not_there_or_is_a_folder_is_an_input_error_or_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.tflite").mkdir()

    with pytest.raises(InputError, match=r"missing\.tflite: No such file"):
        reader.read(tmp_path / "missing.tflite")
    with pytest.raises(InputError, match=r"folder\.tflite: Is a directory"):
        reader.read(tmp_path / "folder.tflite")


def test_it_takes_no_more_memory_than_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_bytes(bytes(100_000))
    tracemalloc.start()
    try:
        reader.read(tmp_path / "a.onnx")
        assert tracemalloc.get_traced_memory()[1] < 300_000
    finally:
        tracemalloc.stop()


def test_a_file_beyond_the_size_cap_is_refused_unread(tmp_path: Path) -> None:
    file = tmp_path / "huge.onnx"
    with file.open("wb") as sparse:
        sparse.truncate(reader.MAX_BYTES + 1)

    with pytest.raises(ModelError, match="larger than 256 MiB"):
        reader.read(file)


def test_a_link_to_a_regular_file_is_followed(tmp_path: Path) -> None:
    (tmp_path / "version-3").write_bytes(b"content")
    (tmp_path / "current.tflite").symlink_to("version-3")

    assert reader.read(tmp_path / "current.tflite") == (b"content", "tflite")


def test_a_link_to_itself_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "loop.tflite").symlink_to("loop.tflite")

    with pytest.raises(InputError, match=r"loop\.tflite: "):
        reader.read(tmp_path / "loop.tflite")


def test_what_is_no_regular_file_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.tflite")
    (tmp_path / "endless.onnx").symlink_to("/dev/zero")

    for name in ("pipe.tflite", "endless.onnx"):
        with pytest.raises(ModelError, match="no regular file"):
            reader.read(tmp_path / name)
