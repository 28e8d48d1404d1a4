from __future__ import annotations

import gzip
import hashlib
import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mnist_edge_runtime.errors import InputError
from mnist_edge_trainer.data import idx
from mnist_edge_trainer.data.idx import Arrays
from numpy.typing import NDArray

Encode = Callable[[NDArray[Any]], bytes]
Write = Callable[[Path, Arrays], Path]

PUBLISHED = {
    "train_images": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train_labels": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "test_images": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "test_labels": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


def assert_same(found: Arrays, expected: Arrays) -> None:
    for array, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(array, other)


@pytest.mark.parametrize("zipped", [False, True], ids=["plain", "gz"])
@pytest.mark.parametrize("dotted", [False, True], ids=["dash", "dot"])
def test_every_spelling_of_the_four_files_is_found(
    tmp_path: Path, letters: Arrays, idx_bytes: Encode, zipped: bool, dotted: bool
) -> None:
    for name, array in zip(idx.FILES, letters, strict=True):
        spelling = name.replace("-idx", ".idx") if dotted else name
        content = idx_bytes(array)
        (tmp_path / (spelling + ".gz" * zipped)).write_bytes(gzip.compress(content) if zipped else content)
    assert_same(idx.read(tmp_path), letters)


def test_spellings_may_be_mixed(tmp_path: Path, letters: Arrays, idx_bytes: Encode) -> None:
    spellings = (
        "train-images.idx3-ubyte",
        "train-labels-idx1-ubyte.gz",
        "t10k-images-idx3-ubyte",
        "t10k-labels.idx1-ubyte.gz",
    )
    for name, array in zip(spellings, letters, strict=True):
        content = idx_bytes(array)
        (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    assert_same(idx.read(tmp_path), letters)


@pytest.mark.parametrize("name", list(idx.FILES))
def test_the_message_names_the_missing_file(tmp_path: Path, letters: Arrays, write_folder: Write, name: str) -> None:
    (write_folder(tmp_path, letters) / name).unlink()
    with pytest.raises(InputError, match=f"{name} missing") as caught:
        idx.read(tmp_path)
    assert str(tmp_path) in str(caught.value)
    assert not any(other in str(caught.value) for other in idx.FILES if other != name)


def test_an_empty_folder_lacks_all_four(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        idx.read(tmp_path)
    assert all(name in str(caught.value) for name in idx.FILES)


GOOD = struct.pack(">4B3I", 0, 0, 8, 3, 2, 3, 4) + bytes(range(24))


@pytest.mark.parametrize("zipped", [False, True], ids=["plain", "gz"])
def test_parse_returns_the_array(zipped: bool) -> None:
    array = idx.parse(gzip.compress(GOOD) if zipped else GOOD, "x")
    assert array.dtype == np.uint8
    np.testing.assert_array_equal(array, np.arange(24).reshape(2, 3, 4))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not an IDX file"),
        (GOOD[:3], "not an IDX file"),
        (GOOD[:10], "not an IDX file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "not an IDX file"),
        (b"\0\0\x0d" + GOOD[3:], "not an IDX file of unsigned bytes"),
        (b"\0\x01\x08" + GOOD[3:], "not an IDX file"),
        (b"\0\0\x08\0" + GOOD[4:], "not an IDX file"),
        (b"\0\0\x08\x09" + GOOD[4:] + bytes(100), "not an IDX file"),
        (GOOD[:-1], "has 23 bytes"),
        (GOOD + b"\0", "has 25 bytes"),
        (struct.pack(">4B3I", 0, 0, 8, 3, 1 << 31, 1 << 31, 4), "has 0 bytes"),
    ],
    ids=[
        "empty",
        "three bytes",
        "header cut short",
        "another format",
        "floats",
        "wrong magic",
        "no dimension",
        "nine dimensions",
        "body cut short",
        "body too long",
        "shape beyond 64 bits",
    ],
)
@pytest.mark.parametrize("zipped", [False, True], ids=["plain", "gz"])
def test_what_is_no_idx_file_is_refused(content: bytes, reason: str, zipped: bool) -> None:
    with pytest.raises(InputError, match=reason) as caught:
        idx.parse(gzip.compress(content) if zipped else content, "some/file")
    assert str(caught.value).startswith("some/file: ")


def _flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 0xFF]) + data[middle + 1 :]


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-9],
        lambda data: data[:2],
        _flipped,
        lambda data: data[:-8] + bytes(8),
        lambda data: data + data[:20],
    ],
    ids=["cut short", "two bytes", "a byte flipped", "wrong checksum", "a second part cut short"],
)
def test_a_damaged_gzip_is_refused(damage: Callable[[bytes], bytes]) -> None:
    content = GOOD[:8] + struct.pack(">2I", 30, 40) + np.random.default_rng(1).bytes(2 * 30 * 40)
    with pytest.raises(InputError, match="gzip file is damaged"):
        idx.parse(damage(gzip.compress(content)), "x.gz")


def test_a_damaged_file_is_named(tmp_path: Path, letters: Arrays, write_folder: Write) -> None:
    file = write_folder(tmp_path, letters) / "t10k-labels-idx1-ubyte"
    file.write_bytes(file.read_bytes()[:-5])
    with pytest.raises(InputError) as caught:
        idx.read(tmp_path)
    assert str(file) in str(caught.value)


def test_a_gzip_that_unpacks_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idx, "MAX_BYTES", 1 << 20)
    with pytest.raises(InputError, match="larger than 1 MiB decompressed"):
        idx.parse(gzip.compress(bytes(3 << 20)), "bomb.gz")


@pytest.mark.parametrize("shape", [(624, 28, 29), (624, 784), (0, 28, 28)])
def test_images_of_another_shape_are_refused(
    tmp_path: Path, letters: Arrays, write_folder: Write, idx_bytes: Encode, shape: tuple[int, ...]
) -> None:
    write_folder(tmp_path, letters)
    (tmp_path / "train-images-idx3-ubyte").write_bytes(idx_bytes(np.zeros(shape, np.uint8)))
    with pytest.raises(InputError, match=rf"training images are uint8 {re.escape(str(shape))}, expected") as caught:
        idx.read(tmp_path)
    assert str(caught.value).startswith(str(tmp_path))


def test_idx_files_whose_counts_differ_are_refused(
    tmp_path: Path, letters: Arrays, write_folder: Write, idx_bytes: Encode
) -> None:
    write_folder(tmp_path, letters)
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(idx_bytes(letters.train_labels[:-1]))
    with pytest.raises(InputError, match=r"training labels are uint8 \(623,\)"):
        idx.read(tmp_path)


def test_idx_files_of_no_images_are_refused(
    tmp_path: Path, letters: Arrays, write_folder: Write, idx_bytes: Encode
) -> None:
    write_folder(tmp_path, letters)
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(idx_bytes(letters.test_images[:0]))
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(idx_bytes(letters.test_labels[:0]))
    with pytest.raises(InputError, match="test images are"):
        idx.read(tmp_path)


@pytest.mark.parametrize("dtype", [np.uint8, np.int64])
@pytest.mark.parametrize("shape", [(7,), (3, 5), (2, 3, 4)])
def test_the_hash_is_that_of_the_idx_file(idx_bytes: Encode, shape: tuple[int, ...], dtype: type[np.generic]) -> None:
    array = (np.arange(np.prod(shape)) % 256).reshape(shape)
    assert idx.sha256(array.astype(dtype)) == hashlib.sha256(idx_bytes(array)).hexdigest()


def test_the_hash_tells_large_labels_from_small_ones() -> None:
    hashes = {idx.sha256(np.array(labels)) for labels in ([0, 1], [256, 257], [0, 257], [65536, 1])}
    assert len(hashes) == 4


def test_the_hashes_of_mnist_are_the_published_ones(mnist_folder: Path) -> None:
    arrays = idx.read(mnist_folder)
    assert {name: idx.sha256(array) for name, array in arrays._asdict().items()} == PUBLISHED
    assert list(idx.FILES.values()) == list(PUBLISHED.values())
    assert idx.is_mnist(arrays)


def test_mnist_with_labels_as_int64_is_still_mnist(mnist_arrays: Arrays) -> None:
    images, labels, test_images, test_labels = mnist_arrays
    assert idx.is_mnist(Arrays(images, labels.astype(np.int64), test_images, test_labels.astype(np.int64)))


def test_mnist_with_one_label_changed_is_not_mnist(mnist_arrays: Arrays) -> None:
    labels = mnist_arrays.test_labels.copy()
    labels[123] = (labels[123] + 1) % 10
    assert not idx.is_mnist(mnist_arrays._replace(test_labels=labels))


def test_other_data_is_not_mnist(letters: Arrays) -> None:
    assert not idx.is_mnist(letters)
