"""Read a CSV file with an image a row, as Kaggle has them: a label, and 784 pixels row by row from the top left.

The label stands first or last. Without a header, it stands first.
"""

from __future__ import annotations

import gzip
import io
import re
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from mnist_edge_runtime.errors import InputError
from numpy.typing import NDArray

from . import image_arrays
from .image_arrays import PIXELS

__all__ = ["SUFFIXES", "Columns", "columns", "read"]

SUFFIXES = (".csv", ".tsv", ".csv.gz", ".tsv.gz")
MAX_BYTES = 1 << 30  # bytes of the images that are read, as they lie in memory

_LINE = 1 << 16  # characters of a row, at most; a pixel takes about 20 at most
_ROWS = 2048  # rows parsed together
_SEPARATORS = ",;\t"
_LABEL_NAMES = ("label", "labels", "class", "target", "y", "digit", "character")


class Columns(NamedTuple):
    """The layout of a table.

    Attributes:
        separator: the character between two values.
        header: whether the first row has names.
        label: the place of the label, 0 or 784; None where there are pixels alone, as in Kaggle's test.csv.
    """

    separator: str
    header: bool
    label: int | None


def columns(file: Path) -> Columns | None:
    """Return the layout of a file, or None where its first row is not that of such a table.

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
    for separator in _SEPARATORS:
        values = [value.strip(" \"'") for value in first.split(separator)]
        if len(values) not in (PIXELS, PIXELS + 1):
            continue
        numbers = sum(_is_number(value) for value in values)
        # The names of columns differ from each other, as the pixels of an image hardly do.
        header = numbers < 2 or len(set(values[1:-1])) == len(values) - 2
        if len(values) == PIXELS:
            return Columns(separator, header, None)
        named = [place for place, value in enumerate(values) if value.lower() in _LABEL_NAMES]
        if not named and numbers > 1:
            named = [0]
        return Columns(separator, header, named[0]) if named in ([0], [PIXELS]) else None
    return None


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
    if layout.label is None:
        raise InputError(f"{file}: has {PIXELS} pixels a row and no labels; name the file that has labels")
    labels: list[str] = []
    images: list[NDArray[Any]] = []
    try:
        with _opened(file) as opened:
            rows = _rows(opened, layout, labels, str(file))
            while len(chunk := _parsed(rows, layout.separator, len(labels) + 1 + layout.header, file)):
                images.append(chunk)
                if sum(each.nbytes for each in images) > MAX_BYTES:
                    raise InputError(f"{file}: its images take more than {MAX_BYTES >> 20} MiB; take fewer")
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: not UTF-8 text ({error.reason}); save it as UTF-8") from None
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{file}: {getattr(error, 'strerror', None) or error}; is it cut short?") from None
    if not images:
        raise InputError(f"{file}: has no images, only a header")
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
        label, separator, rest = (
            line.partition(layout.separator) if layout.label == 0 else line.rpartition(layout.separator)[::-1]
        )
        if (count := rest.count(layout.separator) + 1) != PIXELS or not separator:
            raise InputError(f"{where}: row {number} has {count} pixels, expected {PIXELS} (28 x 28)")
        labels.append(label.strip().strip("\"'"))
        yield rest.replace('"', "")


def _parsed(rows: Iterator[str], separator: str, row: int, file: Path) -> NDArray[Any]:
    """Return the next rows as an array (N, 784): uint8 where every pixel is a whole number, else float32."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of no rows
        try:
            values = np.loadtxt(rows, np.float64, comments=None, delimiter=separator, ndmin=2, max_rows=_ROWS)
        except UnicodeDecodeError:  # a ValueError too
            raise
        except ValueError as error:
            at = re.search(r"'(.*)' to float64 at row (\d+)", str(error))
            what = f"row {row + int(at[2])}: {at[1]!a} is no pixel" if at else f"rows from {row} on: {error}"
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


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
