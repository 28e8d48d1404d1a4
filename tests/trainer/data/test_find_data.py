from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mnist_edge_runtime.errors import InputError
from mnist_edge_trainer.data import find_data, idx
from mnist_edge_trainer.data.idx import Arrays
from mnist_edge_trainer.data.parts import Parts
from numpy.typing import NDArray

Write = Callable[[Path, Arrays], Path]

LABELS_GZ = gzip.compress(b"\0\0\x08\x01" + bytes(8), mtime=0)  # the same in every process that runs tests


def assert_same(found: Parts, expected: Arrays) -> None:
    assert found.test is not None
    for array, other in zip((*found.train, *found.test), expected, strict=True):
        np.testing.assert_array_equal(array, other)


def write_table(file: Path, images: NDArray[Any], labels: NDArray[Any] | None) -> None:
    names = [f"pixel{number}" for number in range(784)]
    rows = [names if labels is None else ["label", *names]]
    for number, image in enumerate(images):
        values = [str(value) for value in image.ravel()]
        rows.append(values if labels is None else [str(labels[number]), *values])
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(",".join(row) + "\n" for row in rows))


def write_pictures(folder: Path, classes: tuple[str, ...] = ("a", "b")) -> None:
    for name in classes:
        (folder / name).mkdir(parents=True)
        for number in range(2):
            picture = np.zeros((28, 28), np.uint8)
            picture[6:22, 10 + number : 14] = 255
            np.save(folder / name / f"{number}.npy", picture)


@pytest.mark.parametrize("within", ["", "mnist", "MNIST/raw"])
def test_data_is_found_in_the_only_folder_that_has_some(
    within: str, tmp_path: Path, letters: Arrays, write_folder: Write
) -> None:
    (tmp_path / within).mkdir(parents=True, exist_ok=True)
    (tmp_path / "__MACOSX" / "a").mkdir(parents=True)
    (tmp_path / "readme.txt").write_text("no data")
    write_folder(tmp_path / within, letters)
    found, place = find_data.read(tmp_path)
    assert place == tmp_path / within
    assert_same(found, letters)


def test_files_named_as_those_of_emnist(tmp_path: Path, letters: Arrays, idx_bytes: Callable[[Any], bytes]) -> None:
    for name, array in zip(idx.FILES, letters, strict=True):
        file = tmp_path / f"emnist-letters-{name.replace('t10k', 'test')}.gz"
        file.write_bytes(gzip.compress(idx_bytes(array)))
    assert_same(find_data.read(tmp_path)[0], letters)


def test_two_sets_of_idx_files_leave_a_doubt(
    tmp_path: Path, letters: Arrays, idx_bytes: Callable[[Any], bytes]
) -> None:
    for name, array in zip(idx.FILES, letters, strict=True):
        for which in ("emnist-letters", "emnist-digits"):
            (tmp_path / f"{which}-{name}").write_bytes(idx_bytes(array))
    with pytest.raises(InputError, match="the IDX files of emnist-digits and emnist-letters; put one set into its own"):
        find_data.read(tmp_path)


@pytest.mark.parametrize("names", [("train.csv", "test.csv"), ("mnist_train.csv", "mnist_test.csv")])
def test_tables_go_by_their_names(names: tuple[str, str], tmp_path: Path, letters: Arrays) -> None:
    write_table(tmp_path / names[0], letters.train_images, letters.train_labels)
    write_table(tmp_path / names[1], letters.test_images, letters.test_labels)
    assert_same(find_data.read(tmp_path)[0], letters)


def test_kaggles_test_table_has_no_labels_and_is_left_out(tmp_path: Path, letters: Arrays) -> None:
    write_table(tmp_path / "train.csv", letters.train_images, letters.train_labels)
    write_table(tmp_path / "test.csv", letters.test_images, None)
    (tmp_path / "sample_submission.csv").write_text("ImageId,Label\n1,0\n")
    found, _ = find_data.read(tmp_path)
    assert found.test is None
    assert found.notes == (f"{tmp_path / 'test.csv'} is left out: it has pixels and no labels",)
    np.testing.assert_array_equal(found.train.images, letters.train_images)
    with pytest.raises(InputError, match="pixels a row and no labels"):
        find_data.read(tmp_path / "test.csv")
    (tmp_path / "train.csv").unlink()
    with pytest.raises(InputError, match=r"test\.csv has pixels and no labels; put the file with labels"):
        find_data.read(tmp_path)


def test_a_lone_table_may_have_any_name(tmp_path: Path, letters: Arrays) -> None:
    write_table(tmp_path / "A_Z Handwritten Data.csv", letters.train_images, letters.train_labels)
    for path in (tmp_path, tmp_path / "A_Z Handwritten Data.csv"):
        found, _ = find_data.read(path)
        assert found.test is None
        np.testing.assert_array_equal(found.train.labels, letters.train_labels)


def test_tables_that_leave_open_which_trains(tmp_path: Path, letters: Arrays) -> None:
    for name in ("one.csv", "two.csv"):
        write_table(tmp_path / name, letters.test_images, letters.test_labels)
    with pytest.raises(InputError, match=r"has one\.csv and two\.csv; name one of them"):
        find_data.read(tmp_path)
    (tmp_path / "two.csv").rename(tmp_path / "test.csv")
    with pytest.raises(InputError, match=r"one\.csv, test\.csv leave open which has the training images"):
        find_data.read(tmp_path)


def test_the_only_npz_of_a_folder_may_have_any_name(tmp_path: Path, letters: Arrays, write_npz: Write) -> None:
    write_npz(tmp_path / "kmnist.npz", letters)
    np.savez(tmp_path / "statistics.npz", mean=np.zeros(3))
    found, _ = find_data.read(tmp_path)
    assert_same(found, letters)
    write_npz(tmp_path / "k49.npz", letters)
    with pytest.raises(InputError, match=r"has k49\.npz, kmnist\.npz; name one of them"):
        find_data.read(tmp_path)


def test_two_forms_in_a_folder_leave_a_doubt(tmp_path: Path, letters: Arrays) -> None:
    write_pictures(tmp_path)
    write_table(tmp_path / "train.csv", letters.train_images, letters.train_labels)
    with pytest.raises(InputError, match=r"leaves open what to read, class folders a, b and train\.csv"):
        find_data.read(tmp_path)


def test_class_folders_beside_train_leave_a_doubt(tmp_path: Path) -> None:
    write_pictures(tmp_path)
    write_pictures(tmp_path / "train")
    with pytest.raises(InputError, match="leaves open what to read, pictures in train and class folders a, b"):
        find_data.read(tmp_path)


def test_two_data_sets_in_a_folder_leave_a_doubt(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_pictures(tmp_path / name)
    with pytest.raises(InputError, match=r"has 2 data sets.*one.*two.*name one"):
        find_data.read(tmp_path)


def test_pictures_that_test_alone_do_not_train(tmp_path: Path) -> None:
    write_pictures(tmp_path / "test")
    with pytest.raises(InputError, match="has pictures in test and none in train"):
        find_data.read(tmp_path)


def test_pictures_without_class_folders_have_no_labels(tmp_path: Path) -> None:
    write_pictures(tmp_path, ("train", "test"))
    with pytest.raises(InputError, match="pictures in test, train itself, but each class needs a folder of its own"):
        find_data.read(tmp_path)


def test_the_refusal_names_what_is_there(tmp_path: Path) -> None:
    for name in ("c", "a", "b"):
        (tmp_path / name).mkdir()
    (tmp_path / "x.csv").write_text("1,2,3\n")
    (tmp_path / "y.txt").write_text("text")
    (tmp_path / ".hidden").write_text("text")
    with pytest.raises(InputError, match=r"no data set \(found: 3 folders a, b, c; 2 files x\.csv, y\.txt\); expected"):
        find_data.read(tmp_path)
    with pytest.raises(InputError, match=r"no data set \(it is empty\)"):
        find_data.read(tmp_path / "a")


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("x.npy", b"\x93NUMPY" + bytes(100), "it has one array; save images and labels together"),
        ("train-images", b"\0\0\x08\x03" + bytes(12), "name the folder that has all four IDX files"),
        ("train-labels.gz", LABELS_GZ, "name the folder that has it, or unpack it"),
        ("1.png", b"\x89PNG\r\n\x1a\n", "is no data set but PNG; expected folders of pictures"),
        ("a.tar", bytes(257) + b"ustar", "is no data set but tar; unpack it first"),
        ("a.h5", b"\x89HDF\r\n\x1a\n", "is no data set but HDF5"),
        ("a.pkl", b"\x80\x04\x95", "is no data set but unknown"),
        ("empty.csv", b"", "its first row is not that of a table of images"),
    ],
)
def test_a_file_of_another_kind_is_named(name: str, content: bytes, reason: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=reason):
        find_data.read(tmp_path / name)


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    for name in ("pipe", "pipe.csv", "pipe.npz"):
        os.mkfifo(tmp_path / name)
        with pytest.raises(InputError, match=rf"{name}: is a named pipe, expected a regular file; write its content"):
            find_data.read(tmp_path / name)


def test_a_path_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file or folder"):
        find_data.read(tmp_path / "nowhere")


def test_a_table_alone_in_its_folder_says_what_is_wrong_with_it(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text("0," * 785 + "0\n")
    with pytest.raises(InputError, match=r"train\.csv: has 786 columns, expected 785"):
        find_data.read(tmp_path)


def test_columns_that_are_left_out_are_named(tmp_path: Path) -> None:
    names = ["file", "", "label", *(f"pixel{number}" for number in range(784))]
    rows = [names, *([f"{label}.png", str(label), str(label), *["7"] * 784] for label in range(3))]
    (tmp_path / "train.csv").write_text("".join(",".join(row) + "\n" for row in rows))
    found, _ = find_data.read(tmp_path)
    note = "left out the columns that are neither label nor pixel: file, without a name"
    assert found.notes == (f"{tmp_path / 'train.csv'}: {note}",)
    assert (found.train.labels == [0, 1, 2]).all()
    assert (found.train.images == 7).all()
