from __future__ import annotations

import io
import os
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mnist_edge_runtime.errors import InputError
from mnist_edge_trainer.data import find_data, npz
from mnist_edge_trainer.data.idx import Arrays
from mnist_edge_trainer.data.parts import Parts
from numpy.typing import NDArray

Write = Callable[[Path, Arrays], Path]

NAMES = ("x_train", "y_train", "x_test", "y_test")
NO_NPZ = r"not an \.npz file"


def read(path: Path) -> Parts:
    return find_data.read(path)[0]


def assert_same(found: Parts, expected: Arrays) -> None:
    assert found.test is not None
    for array, other in zip((*found.train, *found.test), expected, strict=True):
        np.testing.assert_array_equal(array, other)


@pytest.fixture
def save(tmp_path: Path) -> Callable[..., Path]:
    def save(**arrays: NDArray[Any]) -> Path:
        np.savez(tmp_path / "own.npz", **arrays)
        return tmp_path / "own.npz"

    return save


@pytest.mark.parametrize(
    "names",
    [
        NAMES,
        ("X_train", "Y_train", "X_test", "Y_test"),
        ("train_images", "train_labels", "test_images", "test_labels"),
        ("training_images", "training_labels", "test_images", "test_labels"),
        ("trainX", "trainY", "testX", "testY"),
        ("xtrain", "ytrain", "xtest", "ytest"),
        ("train_set_x", "train_set_y", "test_set_x", "test_set_y"),
        ("images_train", "targets_train", "images_test", "targets_test"),
    ],
    ids=" ".join,
)
def test_arrays_go_by_the_names_in_use(names: tuple[str, ...], letters: Arrays, save: Callable[..., Path]) -> None:
    assert_same(read(save(**dict(zip(names, letters, strict=True)))), letters)


@pytest.mark.parametrize("names", [("images", "labels"), ("X", "y"), ("data", "target"), ("x_train", "y_train")])
def test_data_may_have_no_parts(names: tuple[str, str], letters: Arrays, save: Callable[..., Path]) -> None:
    found = read(save(**dict(zip(names, letters[:2], strict=True)), writer=np.arange(3)))
    assert found.test is None
    np.testing.assert_array_equal(found.train.images, letters.train_images)
    np.testing.assert_array_equal(found.train.labels, letters.train_labels)


def test_validation_images_stay_apart(letters: Arrays, save: Callable[..., Path]) -> None:
    arrays = dict(zip(("train_images", "train_labels", "val_images", "val_labels"), letters, strict=True))
    found = read(save(**arrays, test_images=letters.test_images[:5], test_labels=letters.test_labels[:5]))
    assert found.validation is not None
    assert found.test is not None
    np.testing.assert_array_equal(found.validation.images, letters.test_images)
    assert len(found.test.labels) == 5


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (("arr_0", "arr_1"), r"no images and labels; .*found: arr_0 uint8 \(624, 28, 28\), arr_1 uint8 \(624,\)"),
        (("x_train", "train_images"), "both x_train and train_images name the training images"),
        (("x_test", "y_test"), "no training images, only test images"),
        (("x_train", "z_train"), "no training labels to go with x_train"),
    ],
)
def test_what_leaves_a_doubt_is_refused_with_all_that_is_there(
    names: tuple[str, str], reason: str, letters: Arrays, save: Callable[..., Path]
) -> None:
    with pytest.raises(InputError, match=reason) as caught:
        read(save(**dict(zip(names, letters[:2], strict=True))))
    assert f"found: {names[0]} " in str(caught.value)


def test_images_without_a_part_beside_test_images_leave_a_doubt(letters: Arrays, save: Callable[..., Path]) -> None:
    with pytest.raises(InputError, match="leave open which images train"):
        read(save(**dict(zip(("x", "y", "x_test", "y_test"), letters, strict=True))))


def test_a_header_that_promises_more_than_there_is_costs_no_memory(tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": (10**12, 28, 28)})
    with zipfile.ZipFile(tmp_path / "huge.npz", "w") as archive:
        archive.writestr("x_train.npy", header.getvalue())
    with pytest.raises(InputError, match=r"x_train: has \d+ bytes, expected 784,000,000,000,000"):
        read(tmp_path / "huge.npz")


def test_a_zip_of_other_files_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "pictures.zip", "w") as archive:
        archive.writestr("a/1.png", b"x")
    with pytest.raises(InputError, match=r"no images and labels; .*\(found: nothing\)"):
        read(tmp_path / "pictures.zip")


def test_an_array_that_is_damaged_is_named(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "own.npz", "w") as archive:
        archive.writestr("x_train.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", 20) + b"no header at all....")
    with pytest.raises(InputError, match=r"x_train: not an \.npy array"):
        read(tmp_path / "own.npz")


@pytest.mark.parametrize("as_file", [True, False], ids=["file", "folder"])
def test_npz_is_read_as_a_file_or_from_its_folder(
    tmp_path: Path, letters: Arrays, write_npz: Write, as_file: bool
) -> None:
    file = write_npz(tmp_path / "mnist.npz", letters)
    assert_same(read(file if as_file else tmp_path), letters)


def test_a_lone_file_may_have_any_name(tmp_path: Path, letters: Arrays, write_npz: Write) -> None:
    assert_same(read(write_npz(tmp_path / "emnist-letters.npz", letters)), letters)


def test_an_npz_that_unpacks_without_end_is_refused(
    tmp_path: Path, letters: Arrays, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(npz, "MAX_BYTES", 1 << 20)
    empty = np.zeros((4000, 28, 28), np.uint8)
    np.savez_compressed(tmp_path / "bomb.npz", x_train=empty, y_train=np.zeros(4000, np.uint8), x_test=empty, y_test=0)
    with pytest.raises(InputError, match="more than 1 MiB"):
        read(tmp_path / "bomb.npz")


@pytest.mark.parametrize(
    ("field", "value", "reason"), [(0, 1, "encrypted"), (2, 99, "compression method")], ids=["encrypted", "compressed"]
)
def test_an_npz_that_python_cannot_unpack_is_refused(
    tmp_path: Path, letters: Arrays, write_npz: Write, field: int, value: int, reason: str
) -> None:
    """Its flags, or the method of compression next to them, are others in both of a member's headers."""
    file = write_npz(tmp_path / "own.npz", letters)
    content = bytearray(file.read_bytes())
    for header, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.find(header)
        while at >= 0:
            struct.pack_into("<H", content, at + flags + field, value)
            at = content.find(header, at + 1)
    file.write_bytes(content)
    with pytest.raises(
        InputError, match=rf"own\.npz: .* cannot be unpacked \(.*{reason}.*\); save it with numpy\.savez"
    ):
        read(file)


@pytest.mark.parametrize("missing", ["x_train", "y_train", "x_test", "y_test"])
def test_an_npz_without_one_of_the_arrays_is_refused(tmp_path: Path, letters: Arrays, missing: str) -> None:
    arrays = dict(zip(NAMES, letters, strict=True))
    del arrays[missing]
    np.savez(tmp_path / "mnist.npz", **arrays)
    with pytest.raises(InputError, match=missing):
        read(tmp_path)


class _Touch:
    """Unpickled, it makes a folder: what must never happen."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.file),)


def test_pickled_objects_in_an_npz_are_never_run(tmp_path: Path, letters: Arrays) -> None:
    trap = np.empty(1, object)
    trap[0] = _Touch(tmp_path / "ran")
    x_train, y_train, x_test, _ = letters
    np.savez(tmp_path / "mnist.npz", x_train=x_train, y_train=y_train, x_test=x_test, y_test=trap)
    with pytest.raises(InputError, match="y_test has Python objects, which are never loaded"):
        read(tmp_path / "mnist.npz")
    assert not (tmp_path / "ran").exists()


def test_a_bare_pickle_is_never_run(tmp_path: Path) -> None:
    (tmp_path / "mnist.npz").write_bytes(pickle.dumps(_Touch(tmp_path / "ran")))
    with pytest.raises(InputError, match=NO_NPZ):
        read(tmp_path / "mnist.npz")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04" + bytes(60)], ids=["empty", "text", "half a zip"])
def test_what_is_no_npz_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "mnist.npz").write_bytes(content)
    with pytest.raises(InputError, match=NO_NPZ):
        read(tmp_path)


def test_an_npz_cut_short_is_refused(tmp_path: Path, letters: Arrays, write_npz: Write) -> None:
    file = write_npz(tmp_path / "mnist.npz", letters)
    file.write_bytes(file.read_bytes()[:-200])
    with pytest.raises(InputError, match=NO_NPZ):
        read(file)


def test_write_npz_makes_folders_and_what_it_writes_reads_back(tmp_path: Path, letters: Arrays) -> None:
    file = tmp_path / "a" / "b" / "mnist.npz"
    npz.write(file, letters)
    assert_same(read(file), letters)
    with np.load(file) as archive:
        assert sorted(archive) == ["x_test", "x_train", "y_test", "y_train"]
    assert list(file.parent.iterdir()) == [file]


def test_write_npz_replaces_what_was_there(tmp_path: Path, letters: Arrays) -> None:
    file = tmp_path / "mnist.npz"
    file.write_bytes(b"damaged")
    npz.write(file, letters)
    assert_same(read(file), letters)
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # zipfile closes a file twice
@pytest.mark.parametrize("before", [None, b"what was there"], ids=["new", "replacing"])
def test_a_write_that_fails_leaves_nothing_behind(tmp_path: Path, letters: Arrays, before: bytes | None) -> None:
    """The limit on a file's size stands for a disk that is full."""
    resource = pytest.importorskip("resource")
    file = tmp_path / "mnist.npz"
    if before is not None:
        file.write_bytes(before)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            npz.write(file, letters)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == ({"mnist.npz": before} if before else {})
