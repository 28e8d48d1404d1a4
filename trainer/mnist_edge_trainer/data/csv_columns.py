"""Tell the columns of a table of images by its first row: the label, and 784 pixels row by row from the top left.

Where a header names the label and numbers the pixels, it counts, in whatever order they stand and whatever stands
beside them. Else the label stands first or last, and the pixels stand in order; without a header, the label is first.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from mnist_edge_runtime.model_file.contract import IMAGE_SHAPE

from .image_arrays import PIXELS
from .parts import listed

__all__ = ["Columns", "of_first_row"]

_SEPARATORS = ",;\t"
_LABEL_NAMES = ("label", "labels", "class", "target", "y", "digit", "character")
_UNNAMED = ("", "unnamed: 0")  # pandas' index, written and read again
_INDEX_NAMES = (*_UNNAMED, "index", "id")  # numbers of rows


@dataclass(frozen=True)
class Columns:
    """The layout of a table.

    Attributes:
        separator: the character between two values.
        header: whether the first row has names.
        width: the number of columns.
        label: the place of the label; None where there are pixels alone, as in Kaggle's test.csv.
        pixels: the place of each pixel.
        ignored: the names of the columns that are neither.
        problem: why the table cannot be read; empty where it can.
    """

    separator: str
    header: bool
    width: int
    label: int | None = None
    pixels: tuple[int, ...] = ()
    ignored: tuple[str, ...] = ()
    problem: str = ""


def of_first_row(first: str) -> Columns | None:
    """Return the layout of a table with this first row; None where it has too few columns for a table of images."""
    separator = max(_SEPARATORS, key=first.count)
    values = [value.strip(" \"'") for value in first.split(separator)]
    if len(values) < PIXELS:
        return None
    numbers = sum(_is_number(value) for value in values)
    # The names of columns differ from each other, as the pixels of an image hardly do.
    header = numbers < 2 or len(set(values[1:-1])) == len(values) - 2
    found = _by_name(values) if header else None
    found = found or _by_place(values, header, has_names=numbers < 2)
    if isinstance(found, str):
        return Columns(separator, header, len(values), problem=found)
    label, pixels = found
    ignored = [name or "without a name" for place, name in enumerate(values) if place not in {label, *pixels}]
    return Columns(separator, header, len(values), label, pixels, tuple(ignored))


def _by_name(names: Sequence[str]) -> tuple[int | None, tuple[int, ...]] | str | None:
    """Return the places of the label and of the pixels in order, or a problem; None where names do not tell."""
    labels = _labels(names)
    if len(labels) > 1:
        return f"its columns {listed([names[place] for place in labels])} may each be the label; keep one of them"
    pixels = _numbered(names)
    if pixels is None:
        return None
    others = [name for place, name in enumerate(names) if place not in {*labels, *pixels}]
    if labels:
        return labels[0], pixels
    if unclear := [name for name in others if name.lower() not in _UNNAMED]:
        return f"its first row names no label (beside pixels: {listed(unclear, 5)}); name the column of labels: label"
    return None, pixels


def _by_place(values: Sequence[str], header: bool, *, has_names: bool) -> tuple[int | None, tuple[int, ...]] | str:
    width, labels = len(values), _labels(values) if header else []
    if has_names and not _in_order(values):
        return (
            f"the numbers of its pixel columns are neither in order nor {PIXELS} that follow one another; "
            "name them pixel0, pixel1 and so on, row by row from the top left"
        )
    if width == PIXELS and not labels:
        return None, tuple(range(PIXELS))
    if width == PIXELS + 1:
        if not header or (not labels and not has_names):
            labels = [0]
        if labels in ([0], [PIXELS]):
            return labels[0], tuple(place for place in range(width) if place != labels[0])
    if width == PIXELS + 1 and not labels:
        return f"its first row names no label, first or last; name the column of labels: label (got {values[0]!a})"
    return f"has {width} columns, expected {PIXELS + 1}, the label and {PIXELS} pixels; {_what_to_drop(values, header)}"


def _what_to_drop(values: Sequence[str], header: bool) -> str:
    if not header:
        return "drop those that are neither, or name them in a header: label, pixel0, pixel1 and so on"
    unneeded = [name or "the first, which has no name" for name in values if name.lower() in _INDEX_NAMES]
    if unneeded:
        return f"drop {listed(unneeded)} (pandas writes no index with index=False)"
    return "drop those that are neither, and name the others label, pixel0, pixel1 and so on"


def _labels(names: Sequence[str]) -> list[int]:
    return [place for place, name in enumerate(names) if name.lower() in _LABEL_NAMES]


def _numbered(names: Sequence[str]) -> tuple[int, ...] | None:
    """Return the places of 784 columns whose names differ in their numbers alone, in the order of these."""
    rows, columns = IMAGE_SHAPE
    for group in _groups(names).values():
        keys = sorted(group)
        first = keys[0]
        grid = [(first[0] + row, first[-1] + column) for row in range(rows) for column in range(columns)]
        if keys in ([(first[0] + number,) for number in range(PIXELS)], grid):
            return tuple(group[key] for key in keys)
    return None


def _in_order(names: Sequence[str]) -> bool:
    """Return whether the columns whose names have a number, most of them alike, stand in the order of these."""
    rising = max((list(group) for group in _groups(names).values()), key=len, default=[])
    return len(rising) < PIXELS // 2 or rising == sorted(rising)


def _groups(names: Sequence[str]) -> dict[str, dict[tuple[int, ...], int]]:
    """Return for names that are alike but for their one or two numbers: the place of each, by these."""
    groups: dict[str, dict[tuple[int, ...], int]] = defaultdict(dict)
    for place, name in enumerate(names):
        numbers = re.findall(r"[0-9]{1,9}", name)
        if 1 <= len(numbers) <= 2:
            key = tuple(int(number) for number in numbers)
            # A second column of the same name has a key of its own, so that the group is no sequence.
            group = groups[re.sub("[0-9]+", "#", name)]
            group[key if key not in group else (*key, place, place)] = place
    return groups


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
