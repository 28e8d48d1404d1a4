from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mnist_edge_runtime import InputError
from mnist_edge_runtime.preprocessing.image_io import load_picture
from mnist_edge_runtime.preprocessing.npy import load_npy, read_header
from numpy.typing import NDArray

ARRAY = np.arange(60, dtype=">i2").reshape(3, 4, 5)


def _saved(array: NDArray[Any], version: tuple[int, int] | None = None) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, array, version, allow_pickle=True)
    return file.getvalue()


@pytest.mark.parametrize("version", [None, (1, 0), (2, 0), (3, 0)])
@pytest.mark.parametrize("array", [ARRAY, np.asfortranarray(ARRAY), ARRAY[:0], np.array(7.5), ARRAY > 7], ids=repr)
def test_an_array_comes_back_from_a_file_and_from_bytes(
    array: NDArray[Any], version: tuple[int, int] | None, tmp_path: Path
) -> None:
    data = _saved(array, version)
    (tmp_path / "a.npy").write_bytes(data)

    assert read_header(io.BytesIO(data)).end == len(data)
    np.testing.assert_array_equal(load_npy(io.BytesIO(data)), array)
    with open(tmp_path / "a.npy", "rb") as file:
        found = load_npy(file)
    np.testing.assert_array_equal(found, array)
    assert found.dtype == array.dtype


class _Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return exec, ("raise SystemExit",)


HUGE = _saved(ARRAY).replace(b"(3, 4, 5)", b"(9999999999, 4, 5)").replace(b" " * 9 + b"\n", b"\n")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (_saved(ARRAY)[:-1], r"cut short: its array \(3, 4, 5\) of >i2 needs 248 bytes, and it has 247"),
        (_saved(ARRAY)[:40], "header of the .npy file is damaged or cut short"),
        (HUGE, "cut short"),
        (_saved(np.array([_Bomb()], object)), "holds Python objects, which are not run"),
        (b"\x93NUMPY\x09\0rubbish", "header"),
    ],
    ids=["end", "header", "huge", "objects", "version"],
)
def test_what_is_no_array_is_refused_in_plain_words(data: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.npy").write_bytes(data)

    for source in (tmp_path / "a.npy", io.BytesIO(data)):
        with pytest.raises(InputError, match=message):
            load_picture(source)


def test_floats_a_little_above_one_are_white() -> None:
    digit = np.zeros((40, 40))
    digit[8:32, 18:22] = 1

    for greatest in (1.0, 1.0001, 1.001):
        np.testing.assert_array_equal(load_picture(io.BytesIO(_saved(digit * greatest))), digit * 255)
    with pytest.raises(
        InputError, match=r"floats up to 1\.2, more than 1 and too few for 0\.\.255; clip them to 0\.\.1"
    ):
        load_picture(io.BytesIO(_saved(digit * 1.2)))
