from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from mnist_edge_runtime.errors import InputError
from mnist_edge_trainer.data import csv_table
from numpy.typing import NDArray

IMAGES = (np.arange(30 * 784) * 7 % 256).reshape(30, 784)
IMAGES[:, :300] = 0
LABELS = np.arange(30) % 4
NAMES = [f"pixel{number}" for number in range(784)]


def table(
    images: NDArray[np.generic],
    labels: Sequence[object] | NDArray[np.generic] | None,
    header: Sequence[str] | None = None,
    separator: str = ",",
    last: bool = False,
) -> str:
    rows = [list(header)] if header else []
    for number, image in enumerate(images):
        label = [] if labels is None else [str(labels[number])]
        values = [str(value) for value in image]
        rows.append([*values, *label] if last else [*label, *values])
    return "".join(separator.join(row) + "\n" for row in rows)


def indexed(text: str, name: str) -> str:
    """Return a table with a column in front that numbers its rows, as pandas writes it."""
    lines = text.splitlines()
    return "".join(f"{number - 1 if number else name},{line}\n" for number, line in enumerate(lines))


def shuffled(text: str) -> str:
    """Return a table with its columns in another order."""
    rows = np.array([line.split(",") for line in text.splitlines()])
    order = np.random.default_rng(0).permutation(rows.shape[1])
    return "".join(f"{','.join(row)}\n" for row in rows[:, order])


def assert_read(file: Path) -> None:
    images, labels = csv_table.read(file)
    np.testing.assert_array_equal(images, IMAGES)
    np.testing.assert_array_equal(labels, LABELS)


@pytest.mark.parametrize(
    "text",
    [
        table(IMAGES, LABELS, ["label", *NAMES]),
        table(IMAGES, LABELS),
        table(IMAGES, LABELS, [*NAMES, "class"], last=True),
        table(IMAGES, LABELS, [str(number) for number in range(785)]),
        table(IMAGES, LABELS, ["0", *(f"0.{number}" for number in range(1, 785))]),
        table(IMAGES, LABELS, ["Label", *NAMES], separator=";"),
        table(IMAGES, LABELS, separator="\t"),
        table(IMAGES.astype(float), LABELS.astype(float)),
        "\ufeff" + table(IMAGES, LABELS, ["label", *NAMES]).replace("\n", "\r\n"),
        table(IMAGES, LABELS, ["label", *NAMES]) + "\n\n",
        table(IMAGES, LABELS, [f"r{number // 28}c{number % 28}" for number in range(784)] + ["y"], last=True),
        indexed(table(IMAGES, LABELS, ["label", *NAMES]), ""),
        indexed(table(IMAGES, LABELS, [*NAMES, "label"], last=True), "Unnamed: 0"),
        indexed(indexed(table(IMAGES, LABELS, ["label", *NAMES]), "id"), "file"),
        shuffled(table(IMAGES, LABELS, ["label", *NAMES])),
        shuffled(table(IMAGES, LABELS, ["label", *(f"{1 + n // 28}x{1 + n % 28}" for n in range(784))])),
        table(IMAGES, [f'"{label}"' for label in LABELS], ['"label"', *(f'"{name}"' for name in NAMES)]),
    ],
    ids=[
        "Kaggle's",
        "no header",
        "label last",
        "numbers as header",
        "mangled numbers as header",
        "semicolons",
        "tabs",
        "decimals",
        "mark and line ends of Windows",
        "blank lines",
        "rows and columns in the names",
        "pandas' index",
        "pandas' index, twice",
        "numbers and files",
        "pixels in another order",
        "rows and columns in another order",
        "quotes",
    ],
)
@pytest.mark.parametrize("rows", [7, 2048], ids=["pieces", "one piece"])
def test_every_layout_is_the_same_table(text: str, rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_table, "_ROWS", rows)
    (tmp_path / "train.csv").write_bytes(text.encode())
    assert_read(tmp_path / "train.csv")


def test_a_gzipped_table_is_read(tmp_path: Path) -> None:
    (tmp_path / "train.csv.gz").write_bytes(gzip.compress(table(IMAGES, LABELS).encode()))
    assert_read(tmp_path / "train.csv.gz")


def test_labels_may_be_text(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(table(IMAGES, [["a", "ö", "10", "1.5"][label] for label in LABELS]), "utf-8")
    _, labels = csv_table.read(tmp_path / "a.csv")
    assert labels[:4].tolist() == ["a", "ö", "10", "1.5"]


def test_fractions_keep_their_value(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(table(np.round(IMAGES / 255, 4), LABELS))
    images, _ = csv_table.read(tmp_path / "a.csv")
    np.testing.assert_allclose(images, IMAGES / 255, atol=1e-4)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (table(IMAGES, None, NAMES), "784 pixels a row and no labels"),
        (table(IMAGES, None), "784 pixels a row and no labels"),
        ("a,b,c\n1,2,3\n", "its first row is not that of a table of images; expected 785 columns"),
        (table(IMAGES[:, :64], LABELS), "expected 785 columns"),
        (table(IMAGES, LABELS, ["number", *NAMES]), "its first row"),
        ("", "its first row"),
        (table(IMAGES, LABELS, ["label", *NAMES]).split("\n")[0], "has no images, only a header"),
        (table(IMAGES, LABELS) + "3,0,0\n", "row 31 has 2 pixels, expected 784"),
        (table(IMAGES, LABELS) + "\n3," + "0," * 783 + "x\n", r"row 31: 'x' is no pixel"),
        (table(IMAGES, LABELS, ["label", *NAMES]) + "3," + "0," * 783 + "\n", r"row 32: '' is no pixel"),
        (table(IMAGES, LABELS, last=True), "first column, which is taken for the label since no .* '0' in every row"),
        (indexed(table(IMAGES, LABELS), "x"), "row 1 has|has 786 columns, expected 785"),
        (
            indexed(table(IMAGES, LABELS, [str(n) for n in range(785)]), ""),
            "has 786 columns.*drop the first, which has",
        ),
        (indexed(table(IMAGES, LABELS, ["label", *map(chr, range(300, 1084))]), "id"), "has 786 columns.*; drop id"),
        (indexed(table(IMAGES, None, NAMES), "id"), "its first row names no label .*id.*: label"),
        (table(IMAGES, LABELS, ["label", "pixel900", *NAMES[:-1]]), "neither in order"),
        (table(IMAGES, LABELS, ["label", *NAMES[:-1], "pixel9"]), "neither in order"),
        (table(IMAGES, LABELS, ["label", *NAMES[:-1], "class"]), "label, class may each be the label"),
        (table(IMAGES, LABELS) + "3," + "0," * 783 + "\x1b[31mx\n", r"row 31: '\\x1b\[31mx' is no pixel"),
        (table(IMAGES, LABELS) + "3," + "0," * 783 + "it's" * 99 + "\n", r"row 31: '(it's){10}\.\.\.' is no pixel"),
        (table(IMAGES, LABELS) + "1" * 70_000, "row 31 is longer than 65,536 characters"),
    ],
)
def test_what_is_no_table_of_images_is_refused(text: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(InputError, match=reason) as caught:
        csv_table.read(tmp_path / "a.csv")
    assert str(caught.value).startswith(str(tmp_path / "a.csv"))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (table(IMAGES, LABELS).encode() + b"\xff\xfe\n", "not UTF-8 text"),
        (gzip.compress(table(IMAGES, LABELS).encode(), mtime=0)[:-30], "cut short"),
    ],
    ids=["not text", "half a gzip"],
)
def test_a_damaged_table_is_refused(content: bytes, reason: str, tmp_path: Path) -> None:
    file = tmp_path / ("a.csv.gz" if content[:2] == b"\x1f\x8b" else "a.csv")
    file.write_bytes(content)
    with pytest.raises(InputError, match=reason):
        csv_table.read(file)


def test_a_table_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_table, "MAX_BYTES", 1 << 14)
    monkeypatch.setattr(csv_table, "_ROWS", 5)
    (tmp_path / "a.csv").write_text(table(IMAGES, LABELS))
    with pytest.raises(InputError, match="more than 0 MiB; take fewer"):
        csv_table.read(tmp_path / "a.csv")
