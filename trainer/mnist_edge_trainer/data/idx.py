"""Read and write MNIST's file formats: four IDX files, plain or gzipped, or one mnist.npz.

Source of the format: http://yann.lecun.com/exdb/mnist
"""

from __future__ import annotations

import gzip
import hashlib
import io
import math
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from mnist_edge_runtime.errors import InputError
from mnist_edge_runtime.files import atomic_path
from mnist_edge_runtime.model_file.contract import IMAGE_SHAPE
from numpy.typing import NDArray

__all__ = ["FILES", "Arrays", "decode_npz", "is_mnist", "parse", "read", "sha256", "write_npz"]

MAX_BYTES = 1 << 30  # bytes of a decompressed file

# Name -> SHA-256 of each decompressed file, as published since 1998.
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
    """Read a folder with the four IDX files or mnist.npz, or an .npz file.

    Raises:
        InputError: it is missing, damaged, or not in MNIST's shape.
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


def decode_npz(data: bytes, where: str) -> Arrays:
    """Decode the bytes of an .npz file whose arrays have Keras' names.

    Raises:
        InputError: not such a file; the message begins with `where`.
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


def write_npz(path: Path, arrays: Arrays) -> None:
    """Write the arrays atomically, as Keras' mnist.npz."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, **dict(zip(("x_train", "y_train", "x_test", "y_test"), arrays, strict=True)))


def _find(folder: Path, name: str) -> Path | None:
    """Return the file, under one of the spellings in use, or None."""
    spellings = (name, name.replace("-idx", ".idx"))
    return next((folder / (n + end) for n in spellings for end in ("", ".gz") if (folder / (n + end)).is_file()), None)


def _bytes(file: Path) -> bytes:
    try:
        with open(file, "rb") as opened:
            return opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"{file}: {error.strerror}") from None
