from __future__ import annotations

from pathlib import Path

import numpy as np
from mnist_edge_runtime.preprocessing.image_io import load_picture
from mnist_edge_trainer.data import datasets
from mnist_edge_trainer.handwriting.drawing import SIDE
from mnist_edge_trainer.handwriting.generator import generate, number_of
from mnist_edge_trainer.handwriting.sheets import write_pictures, write_sheets
from mnist_edge_trainer.handwriting.styles import styles
from PIL import Image


def test_a_sheet_has_a_row_for_each_style(tmp_path: Path) -> None:
    advanced: list[int] = []
    files = write_sheets(tmp_path / "new" / "folder", "17", 2, 5, False, advanced.append)
    assert [file.name for file in files] == ["1.png", "7.png"]
    assert sum(advanced) == 2 * (len(styles("1", False)) + len(styles("7", False)))
    with Image.open(files[1]) as opened:
        sheet = np.asarray(opened)
    rows = len(styles("7", False))
    height = sheet.shape[0] // rows
    written = generate(5, number_of(styles("7", False)[3], 1))
    row = sheet[3 * height : 4 * height]
    columns = row.shape[1] - SIDE - 4
    np.testing.assert_array_equal(row[4 : 4 + SIDE, columns : columns + SIDE], written.picture)
    enlarged = np.kron(written.image, np.ones((2, 2), np.uint8))
    np.testing.assert_array_equal(row[8 + SIDE : 64 + SIDE, columns + 4 : columns + 60], enlarged)
    assert (row[:, :180] < 128).any(), "the name"


def test_held_out_styles_have_sheets_of_their_own(tmp_path: Path) -> None:
    names = [write_sheets(tmp_path, "3", 1, 0, held_out, lambda _: None)[0].name for held_out in (False, True)]
    assert names == ["3.png", "3-held-out.png"]
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(names)


def test_pictures_are_folders_that_train(tmp_path: Path) -> None:
    files = write_pictures(tmp_path, "07", 1, 2, True, lambda _: None)
    assert [str(file.relative_to(tmp_path)) for file in files] == [
        "0/2-000000-long-slash.png",
        "0/2-000010-loop-at-the-top.png",
        "7/2-000007-wave-bar-crossed.png",
        "7/2-000017-low-cross.png",
    ]
    np.testing.assert_array_equal(load_picture(files[3]), generate(2, 17, held_out=True).picture)
    write_pictures(tmp_path, "07", 8, 3, True, lambda _: None)
    found = datasets.load(str(tmp_path))
    assert found.labels == ("0", "7")
    assert len(found.train_images) + len(found.test_images) == 36
