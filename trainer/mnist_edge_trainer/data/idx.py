"""Read MNIST's own file format: four IDX files, plain or gzipped.

Source of the format: http://yann.lecun.com/exdb/mnist
"""

from __future__ import annotations

import gzip
import hashlib
import io
import math
import re
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from mnist_edge_runtime.errors import InputError
from mnist_edge_runtime.model_file.contract import IMAGE_SHAPE
from numpy.typing import NDArray

__all__ = ["FILES", "Arrays", "check", "holds_files", "is_mnist", "parse", "read", "sha256"]

MAX_BYTES = 1 << 30  # bytes of a decompressed file

# Name -> SHA-256 of each decompressed file, as published since 1998.
FILES: Mapping[str, str] = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


# How their names go, and those of data like it: emnist-letters-test-images-idx3-ubyte.gz
_NAME = re.compile(r"(?P<set>.*?)(?P<part>train|test|t10k)-(?P<kind>images|labels)[-.]idx[0-9]-ubyte(\.gz)?")
_PARTS = {"train": "training", "test": "test", "t10k": "test"}
_ROLES = (("training", "images"), ("training", "labels"), ("test", "images"), ("test", "labels"))


class Arrays(NamedTuple):
    """Images uint8 (N, 28, 28) and labels uint8 or int64 (N,), in the order of `FILES`."""

    train_images: NDArray[np.uint8]
    train_labels: NDArray[Any]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[Any]


def read(folder: Path) -> Arrays:
    """Read a folder with four IDX files, under one of the names in use, plain or gzipped.

    Raises:
        InputError: one is missing or damaged, or they are not in MNIST's shape.
    """
    sets = _sets(folder)
    if len(sets) > 1:
        raise InputError(
            f"{folder}: has the IDX files of {' and '.join(sorted(sets))}; put one set into its own folder"
        )
    files = next(iter(sets.values()), {})
    if missing := [name for name, role in zip(FILES, _ROLES, strict=True) if role not in files]:
        raise InputError(f"{folder}: {', '.join(missing)} missing; expected the four IDX files (plain or .gz)")
    return check([parse(_bytes(files[role]), str(files[role])) for role in _ROLES], str(folder))


def holds_files(folder: Path) -> bool:
    """Return whether the folder has a file whose name is that of an IDX file of MNIST or of data like it."""
    return bool(_sets(folder))


def parse(data: bytes, where: str) -> NDArray[np.uint8]:
    """Parse the bytes of an IDX file, gzipped or plain.

    Raises:
        InputError: not IDX of unsigned bytes, or truncated; the message begins with `where`.
    """
    if data[:2] == b"\x1f\x8b":
        try:
            with gzip.open(io.BytesIO(data)) as file:
                data = file.read(MAX_BYTES + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise InputError(f"{where}: the gzip file is damaged ({error}); download it again") from None
    if len(data) > MAX_BYTES:
        raise InputError(f"{where}: larger than {MAX_BYTES >> 20} MiB decompressed")
    if len(data) < 8 or data[:3] != b"\0\0\x08" or not 1 <= data[3] <= 3 or len(data) < 4 + 4 * data[3]:
        raise InputError(f"{where}: not an IDX file of unsigned bytes")
    shape = struct.unpack(f">{data[3]}I", data[4 : 4 + 4 * data[3]])
    body = data[4 + 4 * data[3] :]
    if len(body) != math.prod(shape):
        raise InputError(f"{where}: has {len(body):,} bytes for the shape {shape}; download it again")
    return np.frombuffer(body, np.uint8).reshape(shape)


def check(arrays: list[NDArray[Any]], where: str) -> Arrays:
    """Check the types and shapes of the four arrays.

    Raises:
        InputError: they are not in MNIST's shape; the message begins with `where`.
    """
    found = Arrays(*arrays)
    for part, images, labels in (
        ("training", found.train_images, found.train_labels),
        ("test", found.test_images, found.test_labels),
    ):
        if images.dtype != np.uint8 or images.shape[1:] != IMAGE_SHAPE or not len(images):
            raise InputError(f"{where}: {part} images are {images.dtype} {images.shape}, expected uint8 (N, 28, 28)")
        if labels.dtype.kind not in "ui" or labels.shape != (len(images),):
            raise InputError(
                f"{where}: {part} labels are {labels.dtype} {labels.shape}, expected integers ({len(images)},)"
            )
    return found


def sha256(array: NDArray[Any]) -> str:
    """Return the SHA-256 of `array` in its IDX form, as int32 where a label is above 255."""
    small = array.size == 0 or array.max() <= 255
    header = struct.pack(f">4B{array.ndim}I", 0, 0, 8 if small else 12, array.ndim, *array.shape)
    body = array.astype(np.uint8 if small else ">i4").tobytes()
    return hashlib.sha256(header + body).hexdigest()


def is_mnist(arrays: Arrays) -> bool:
    """Return whether the arrays are those of MNIST, byte for byte."""
    return [sha256(array) for array in arrays] == list(FILES.values())


def _sets(folder: Path) -> dict[str, dict[tuple[str, str], Path]]:
    """Return for each data set in the folder its files by what they hold; of several spellings the plainest."""
    found: dict[str, dict[tuple[str, str], Path]] = {}
    for file in sorted(folder.iterdir(), key=lambda file: (file.suffix == ".gz", file.name)):
        if (match := _NAME.fullmatch(file.name)) and file.is_file():
            found.setdefault(match["set"].strip("-_."), {}).setdefault((match["part"], match["kind"]), file)
    return {
        name or "MNIST": {(_PARTS[part], kind): file for (part, kind), file in files.items()}
        for name, files in found.items()
    }


def _bytes(file: Path) -> bytes:
    try:
        with open(file, "rb") as opened:
            return opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"{file}: {error.strerror}") from None
