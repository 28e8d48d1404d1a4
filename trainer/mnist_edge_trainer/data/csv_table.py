"""Read a CSV file with an image a row, as Kaggle has them: a label, and 784 pixels row by row from the top left."""

from __future__ import annotations

import gzip
import io
import re
import warnings
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
from mnist_edge_runtime.errors import InputError
from numpy.typing import NDArray

from . import csv_columns, image_arrays
from .csv_columns import Columns
from .image_arrays import PIXELS

__all__ = ["SUFFIXES", "columns", "read"]

SUFFIXES = (".csv", ".tsv", ".csv.gz", ".tsv.gz")
MAX_BYTES = 1 << 30  # bytes of the images that are read, as they lie in memory

_LINE = 1 << 16  # characters of a row, at most; a pixel takes about 20 at most
_ROWS = 2048  # rows parsed together
_LONGEST_CELL = 40  # characters of a value in a message


def columns(file: Path) -> Columns | None:
    """Return the layout of a file; None where its first row has too few columns for a table of images.

    Raises:
        InputError: it cannot be read.
    """
    try:
        with _opened(file) as opened:
            first = opened.readline(_LINE).rstrip("\r\n")
    except UnicodeDecodeError:
        return None
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{file}: {getattr(error, 'strerror', None) or error}") from None
    return csv_columns.of_first_row(first)


def read(file: Path) -> tuple[NDArray[Any], NDArray[Any]]:
    """Read a table; return the pixels (N, 784), in the type that holds them, and the labels, numbers or text (N,).

    Raises:
        InputError: no such table, without labels, or damaged; it names the row.
    """
    layout = columns(file)
    if layout is None:
        raise InputError(
            f"{file}: its first row is not that of a table of images; expected {PIXELS + 1} columns separated by "
            f"commas: the label, first or last, and {PIXELS} pixels (28 x 28)"
        )
    if layout.problem:
        raise InputError(f"{file}: {layout.problem}")
    if layout.label is None:
        raise InputError(f"{file}: has {PIXELS} pixels a row and no labels; name the file that has labels")
    labels: list[str] = []
    images: list[NDArray[Any]] = []
    try:
        with _opened(file) as opened:
            rows = _rows(opened, layout, labels, str(file))
            while len(chunk := _parsed(rows, layout, len(labels) + 1 + layout.header, file)):
                images.append(chunk)
                if sum(each.nbytes for each in images) > MAX_BYTES:
                    raise InputError(f"{file}: its images take more than {MAX_BYTES >> 20} MiB; take fewer")
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: not UTF-8 text ({error.reason}); save it as UTF-8") from None
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{file}: {getattr(error, 'strerror', None) or error}; is it cut short?") from None
    if not images:
        raise InputError(f"{file}: has no images, only a header")
    if not layout.header and len(labels) > 1 and len(set(labels)) == 1:
        raise InputError(
            f"{file}: the first column, which is taken for the label since no header names one, is {labels[0]!a} in "
            "every row; put the label first, or write a header: label, pixel0, pixel1 and so on"
        )
    return np.concatenate(images), _labels(labels)


def _opened(file: Path) -> IO[str]:
    raw = gzip.open(file) if file.suffix.lower() == ".gz" else open(file, "rb")  # noqa: SIM115  the wrapper closes it
    return io.TextIOWrapper(raw, encoding="utf-8-sig", newline=None)


def _rows(opened: IO[str], layout: Columns, labels: list[str], where: str) -> Iterator[str]:
    """Yield the pixels of each row, and append its label to `labels`; blank rows are left out."""
    if layout.header:
        opened.readline(_LINE)
    number = int(layout.header)
    while line := opened.readline(_LINE):
        number += 1
        if len(line) >= _LINE:
            raise InputError(f"{where}: row {number} is longer than {_LINE:,} characters; is it a table of images?")
        line = line.strip(" \r\n")
        if not line:
            continue
        line = line.replace('"', "")
        values = line.split(layout.separator)
        if len(values) != layout.width:
            beside = layout.width - PIXELS
            raise InputError(f"{where}: row {number} has {len(values) - beside} pixels, expected {PIXELS} (28 x 28)")
        labels.append(values[layout.label or 0].strip(" '"))
        yield line


def _parsed(rows: Iterator[str], layout: Columns, row: int, file: Path) -> NDArray[Any]:
    """Return the next rows as an array (N, 784): uint8 where every pixel is a whole number, else float32."""
    read = partial(np.loadtxt, comments=None, delimiter=layout.separator, ndmin=2, max_rows=_ROWS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of no rows
        try:
            values = read(rows, np.float64, usecols=layout.pixels)
        except UnicodeDecodeError:  # a ValueError too
            raise
        except ValueError as error:
            at = re.search(r"string .(.*). to float64 at row (\d+)", str(error))
            cell = f"{at[1][:_LONGEST_CELL]}{'...' * (len(at[1]) > _LONGEST_CELL)}" if at else ""  # escaped by numpy
            what = f"row {row + int(at[2])}: '{cell}' is no pixel" if at else f"rows from {row} on: {error}"
            raise InputError(f"{file}: {what}; expected a number, 0 to 255 or 0 to 1") from None
    return _small(values)


def _small(values: NDArray[np.float64]) -> NDArray[Any]:
    whole = values.astype(np.uint8) if len(values) and values.min() >= 0 and values.max() <= 255 else None
    return whole if whole is not None and (whole == values).all() else values.astype(np.float32)


def _labels(texts: list[str]) -> NDArray[Any]:
    """Return labels as whole numbers where all are, "5.0" among them, else as text."""
    try:
        return image_arrays.labels(np.array(texts, np.float64), len(texts), "the labels")
    except (ValueError, InputError):
        return np.array(texts)
