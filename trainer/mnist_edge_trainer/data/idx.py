"""The files MNIST is passed around in: four IDX files, plain or gzipped, or one mnist.npz.

Source of the format: http://yann.lecun.com/exdb/mnist
"""

from __future__ import annotations

import gzip
import hashlib
import io
import math
import os
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from mnist_edge_runtime.errors import InputError
from numpy.typing import NDArray

__all__ = ["FILES", "Arrays", "decode_npz", "is_mnist", "parse", "read", "sha256", "write_npz"]

MAX_BYTES = 1 << 30

# Their names, and the SHA-256 of the decompressed files as they have been published since 1998.
FILES: Mapping[str, str] = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


class Arrays(NamedTuple):
    """Images uint8 (N, 28, 28) and labels uint8 or int64 (N,), in the order of `FILES`."""

    train_images: NDArray[np.uint8]
    train_labels: NDArray[Any]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[Any]


def read(path: Path) -> Arrays:
    """Return what lies at `path`: a folder with the four IDX files or mnist.npz, or an .npz file.

    Raises:
        InputError: missing, damaged, or not in MNIST's shape.
    """
    if path.is_file():
        return decode_npz(_bytes(path), str(path))
    if not path.is_dir():
        raise InputError(f"{path}: no such file or folder; --data takes auto, mnist, digits or a path")
    files = {name: _find(path, name) for name in FILES}
    if not any(files.values()) and (path / "mnist.npz").is_file():
        return decode_npz(_bytes(path / "mnist.npz"), str(path / "mnist.npz"))
    missing = [name for name, file in files.items() if file is None]
    if missing:
        raise InputError(
            f"{path}: {', '.join(missing)} missing; expected the four IDX files (plain or .gz), mnist.npz, "
            "or folders of pictures, one for each class"
        )
    return check([parse(_bytes(file), str(file)) for file in files.values() if file], str(path))


def parse(data: bytes, where: str) -> NDArray[np.uint8]:
    """Return the array of an IDX file's bytes, gzipped or plain.

    Raises:
        InputError: not IDX of unsigned bytes, or cut short; `where` opens the message.
    """
    if data[:2] == b"\x1f\x8b":
        try:
            with gzip.open(io.BytesIO(data)) as file:
                data = file.read(MAX_BYTES + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise InputError(f"{where}: the gzip file is damaged ({error}); fetch it again") from None
    if len(data) > MAX_BYTES:
        raise InputError(f"{where}: holds more than {MAX_BYTES >> 20} MiB")
    if len(data) < 8 or data[:3] != b"\0\0\x08" or not 1 <= data[3] <= 3 or len(data) < 4 + 4 * data[3]:
        raise InputError(f"{where}: not an IDX file of unsigned bytes")
    shape = struct.unpack(f">{data[3]}I", data[4 : 4 + 4 * data[3]])
    body = data[4 + 4 * data[3] :]
    if len(body) != math.prod(shape):
        raise InputError(f"{where}: has {len(body):,} bytes for the shape {shape}; fetch it again")
    return np.frombuffer(body, np.uint8).reshape(shape)


def decode_npz(data: bytes, where: str) -> Arrays:
    """Return the arrays of an .npz file's bytes, named as Keras names them.

    Raises:
        InputError: not such a file; `where` opens the message.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            if sum(member.file_size for member in archive.zip.infolist()) > MAX_BYTES:
                raise ValueError(f"it would unpack to more than {MAX_BYTES >> 20} MiB")
            arrays = [archive[name] for name in ("x_train", "y_train", "x_test", "y_test")]
    except Exception as error:  # zipfile, zlib and numpy each have errors of their own
        raise InputError(f"{where}: not an .npz file with x_train, y_train, x_test and y_test ({error})") from None
    return check(arrays, where)


def check(arrays: list[NDArray[Any]], where: str) -> Arrays:
    """Return the four arrays as one value.

    Raises:
        InputError: they are not in MNIST's shape; `where` opens the message.
    """
    found = Arrays(*arrays)
    for part, images, labels in (
        ("training", found.train_images, found.train_labels),
        ("test", found.test_images, found.test_labels),
    ):
        if images.dtype != np.uint8 or images.shape[1:] != (28, 28) or not len(images):
            raise InputError(f"{where}: {part} images are {images.dtype} {images.shape}, expected uint8 (N, 28, 28)")
        if labels.dtype.kind not in "ui" or labels.shape != (len(images),):
            raise InputError(
                f"{where}: {part} labels are {labels.dtype} {labels.shape}, expected integers ({len(images)},)"
            )
    return found


def sha256(array: NDArray[Any]) -> str:
    """Return the SHA-256 of `array` as an IDX file holds it; labels above 255 are hashed as they are."""
    small = array.size == 0 or array.max() <= 255
    header = struct.pack(f">4B{array.ndim}I", 0, 0, 8 if small else 12, array.ndim, *array.shape)
    body = array.astype(np.uint8 if small else ">i4").tobytes()
    return hashlib.sha256(header + body).hexdigest()


def is_mnist(arrays: Arrays) -> bool:
    """Return whether the arrays are MNIST's, to the last byte."""
    return [sha256(array) for array in arrays] == list(FILES.values())


def write_npz(path: Path, arrays: Arrays) -> None:
    """Write the arrays as Keras' mnist.npz; the file appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(temporary, "wb") as file:
            np.savez_compressed(file, **dict(zip(("x_train", "y_train", "x_test", "y_test"), arrays, strict=True)))
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _find(folder: Path, name: str) -> Path | None:
    """Return the file, under one of the spellings in use."""
    spellings = (name, name.replace("-idx", ".idx"))
    return next((folder / (n + end) for n in spellings for end in ("", ".gz") if (folder / (n + end)).is_file()), None)


def _bytes(file: Path) -> bytes:
    try:
        with open(file, "rb") as opened:
            return opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"{file}: {error.strerror}") from None
