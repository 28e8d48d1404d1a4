"""Read and write .npz files of images and labels, under the names that people give their arrays.

An .npz is a ZIP of .npy files. Nothing in it is unpickled, and no array is read before its size is known.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from mnist_edge_runtime.errors import InputError
from mnist_edge_runtime.files import atomic_path
from numpy.typing import NDArray

from . import image_arrays
from .idx import Arrays
from .parts import TEST, TRAIN, VALIDATION, Part, Parts, listed, part_of, words_of

__all__ = ["holds_images", "read", "write"]

_npy: Any = np.lib.format  # which has no types
MAX_BYTES = 1 << 30  # bytes of all arrays that are read, as they lie in memory

_KERAS = ("x_train", "y_train", "x_test", "y_test")
# Words of an array's name, apart from that of its part.
_IMAGES = ("x", "image", "images", "img", "imgs", "data", "pixels", "features", "inputs")
_LABELS = ("y", "label", "labels", "target", "targets", "class", "classes")
_FILLERS = ("set", "mnist", "raw", "all", "onehot")


class _Header(NamedTuple):
    """The type and shape of an array, from its header alone."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    size: int

    def __str__(self) -> str:
        return f"{self.dtype} {self.shape}"


def read(file: Path | io.BytesIO, where: str) -> Parts:
    """Read the images and labels of an .npz file.

    Raises:
        InputError: damaged, too large, or without images and labels under names that say so; it begins with `where`.
    """
    with _opened(file, where) as archive:
        headers = _headers(archive, where)
        roles = _roles(headers)
        there = listed([f"{name} {header}" for name, header in headers.items()], most=12) or "nothing"
        if isinstance(roles, str):
            raise InputError(
                f"{where}: {roles}; expected x_train, y_train, x_test and y_test, or images and labels (found: {there})"
            )
        chosen = [name for pair in roles.values() for name in pair]
        if objects := [name for name in chosen if headers[name].dtype.hasobject]:
            raise InputError(
                f"{where}: {listed(objects)} has Python objects, which are never loaded since loading them can run "
                "programs; save it as numbers or text"
            )
        if sum(headers[name].size for name in chosen) > MAX_BYTES:
            raise InputError(f"{where}: would unpack to more than {MAX_BYTES >> 20} MiB; take fewer images, or uint8")
        arrays = {name: _array(archive, name, where) for name in chosen}
    images = image_arrays.pixels({part: arrays[pair[0]] for part, pair in roles.items()}, where)
    parts = {
        part: Part(images[part], image_arrays.labels(arrays[pair[1]], len(images[part]), f"{where}: the {part} labels"))
        for part, pair in roles.items()
    }
    return Parts(parts[TRAIN], parts.get(TEST), parts.get(VALIDATION))


def holds_images(file: Path) -> bool:
    """Return whether an .npz file has arrays whose names say that they are images and labels."""
    try:
        with _opened(file, "") as archive:
            return not isinstance(_roles(_headers(archive, "")), str)
    except InputError:
        return False


def write(path: Path, arrays: Arrays) -> None:
    """Write the arrays atomically, as Keras' mnist.npz."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary, open(temporary, "wb") as file:
        np.savez_compressed(file, **dict(zip(_KERAS, arrays, strict=True)))


def _roles(headers: Mapping[str, _Header]) -> dict[str, tuple[str, str]] | str:
    """Return the names of the images and of the labels of each part, or why they are not known."""
    found: dict[tuple[str, str], str] = {}
    for name in headers:
        if role := _role(name):
            if role in found:
                return f"both {found[role]} and {name} name the {role[0] or 'only'} {role[1]}"
            found[role] = name
    parts = {part for part, _ in found}
    for part in sorted(parts):
        for kind in ("images", "labels"):
            if (part, kind) not in found:
                other = found[part, "labels" if kind == "images" else "images"]
                return f"no {f'{part} ' if part else ''}{kind} to go with {other}"
    if "" in parts and len(parts) > 1:
        return f"{found['', 'images']} and {found[max(parts), 'images']} leave open which images train"
    if not parts & {"", TRAIN}:
        return f"no training images, only {' and '.join(sorted(parts))} images" if parts else "no images and labels"
    return {part or TRAIN: (found[part, "images"], found[part, "labels"]) for part in sorted(parts)}


def _role(name: str) -> tuple[str, str] | None:
    """Return the part, or "", and "images" or "labels" that the name of an array stands for; None for any other."""
    part = part_of(name)
    words = [word for word in words_of(name) if part_of(word) is None and word not in _FILLERS]
    words += [letter for word in words_of(name) if part_of(word) for letter in _letters(word)]
    kinds = {kind for word in words for kind, known in (("images", _IMAGES), ("labels", _LABELS)) if word in known}
    known = all(word in (*_IMAGES, *_LABELS) for word in words)
    return (part or "", kinds.pop()) if len(kinds) == 1 and known else None


def _letters(word: str) -> list[str]:
    """Return the x or y that is written together with a part, as in "xtrain" and "testy"."""
    match = re.fullmatch(r"(x|y)?.+?(x|y|images?|labels?)?", word)
    return [letter for letter in (match.groups() if match else ()) if letter]


def _opened(file: Path | io.BytesIO, where: str) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except (zipfile.BadZipFile, ValueError, EOFError) as error:
        raise InputError(f"{where}: not an .npz file, or cut short ({error}); save it again") from None
    except OSError as error:
        raise InputError(f"{where}: {error.strerror or error}") from None


def _headers(archive: zipfile.ZipFile, where: str) -> dict[str, _Header]:
    """Return the headers of all arrays by their names; other files in the ZIP are left out."""
    headers = {}
    for member in archive.infolist():
        if member.filename.endswith(".npy"):
            name = member.filename.removesuffix(".npy")
            with _member(archive, member.filename, where) as file:
                headers[name] = _header(file, member.file_size, f"{where}: {name}")
    return headers


def _header(file: IO[bytes], there: int, what: str) -> _Header:
    try:
        version = _npy.read_magic(file)
        shape, _, dtype = (_npy.read_array_header_1_0 if version == (1, 0) else _npy.read_array_header_2_0)(file)
    except (ValueError, EOFError, OSError, zlib.error, zipfile.BadZipFile, SyntaxError) as error:
        raise InputError(f"{what}: not an .npy array, or damaged ({error}); save it again") from None
    size = dtype.itemsize
    for length in shape:
        size *= length
    if not dtype.hasobject and size > there:
        raise InputError(f"{what}: has {there:,} bytes, expected {size:,} for {dtype} {shape}; save it again")
    return _Header(dtype, shape, size)


def _array(archive: zipfile.ZipFile, name: str, where: str) -> NDArray[Any]:
    with _member(archive, f"{name}.npy", where) as file:
        try:
            array: NDArray[Any] = _npy.read_array(file, allow_pickle=False)
            return array
        except (ValueError, EOFError, OSError, zlib.error, zipfile.BadZipFile) as error:
            raise InputError(f"{where}: {name} is damaged ({error}); save it again") from None


def _member(archive: zipfile.ZipFile, name: str, where: str) -> IO[bytes]:
    try:
        return archive.open(name)
    # RuntimeError is what an encrypted member raises, and one whose compression Python does not know.
    except (RuntimeError, zipfile.BadZipFile, OSError, ValueError) as error:
        raise InputError(f"{where}: {name} cannot be unpacked ({error}); save it with numpy.savez") from None
