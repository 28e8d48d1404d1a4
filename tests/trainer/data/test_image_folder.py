from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from mnist_edge_runtime import load_picture, to_mnist
from mnist_edge_runtime.errors import InputError
from mnist_edge_trainer.data import datasets, image_folder
from mnist_edge_trainer.demo.synthetic_digits import draw
from PIL import Image

KEEP = ("a", "B", "10", "9", "ä ö")
ORDER = ("9", "10", "B", "a", "ä ö")


def write(folder: Path, digit: str, count: int) -> None:
    folder.mkdir(parents=True)
    for number in range(count):
        picture = Image.fromarray(draw(digit, tilt=float(number)))
        picture.save(folder / f"{number}.{('png', 'jpg', 'BMP')[number % 3]}")


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Five classes of 14 pictures, and what does not belong there."""
    for digit, name in enumerate(KEEP):
        write(tmp_path / "own" / name, str(digit), 14)
    (tmp_path / "own" / "notes").mkdir()
    (tmp_path / "own" / "notes" / "read me.txt").write_text("not a class")
    (tmp_path / "own" / ".hidden").mkdir()
    (tmp_path / "own" / ".hidden" / "0.png").write_bytes(b"not looked at")
    (tmp_path / "own" / "a" / ".DS_Store").write_bytes(b"not looked at")
    return tmp_path / "own"


def test_each_folder_is_a_class(own: Path) -> None:
    dataset = datasets.load(str(own))
    assert dataset.name == "custom"
    assert dataset.labels == ORDER
    assert dataset.train_images.shape == (60, 28, 28)
    assert dataset.test_images.shape == (10, 28, 28)
    assert np.bincount(dataset.train_labels).tolist() == [12] * 5
    assert np.bincount(dataset.test_labels).tolist() == [2] * 5


def test_pictures_come_as_the_device_sees_them_under_their_own_label(own: Path) -> None:
    dataset = datasets.load(str(own))
    found = list(zip(dataset.train_images, dataset.train_labels, strict=True))
    found += list(zip(dataset.test_images, dataset.test_labels, strict=True))
    pairs = sorted((image.tobytes(), dataset.labels[label]) for image, label in found)
    files = [file for name in KEEP for file in (own / name).iterdir() if file.name[0] != "."]
    assert pairs == sorted((to_mnist(load_picture(file)).tobytes(), file.parent.name) for file in files)


def test_it_is_the_same_each_time(own: Path) -> None:
    np.random.seed(1)
    assert datasets.load(str(own)).sha256 == datasets.load(str(own)).sha256


def test_train_and_test_may_be_parted_by_hand(tmp_path: Path) -> None:
    for part, count in (("train", 5), ("test", 2)):
        for name in ("yes", "no"):
            write(tmp_path / part / name, "3" if name == "yes" else "7", count)
    dataset = datasets.load(str(tmp_path))
    assert dataset.labels == ("no", "yes")
    assert (len(dataset.train_images), len(dataset.test_images)) == (10, 4)


@pytest.mark.parametrize("wrong", ["maybe", None])
def test_test_pictures_of_other_classes_are_refused(tmp_path: Path, wrong: str | None) -> None:
    for name in ("yes", "no"):
        write(tmp_path / "train" / name, "3", 3)
    if wrong:
        write(tmp_path / "test" / wrong, "4", 1)
    with pytest.raises(InputError, match="expected pictures of the classes in train") as caught:
        datasets.load(str(tmp_path))
    assert str(tmp_path / "test") in str(caught.value)


def test_a_picture_that_cannot_be_read_is_named(own: Path) -> None:
    (own / "B" / "5.png").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"B/5\.png"):
        datasets.load(str(own))


def test_a_class_of_one_picture_is_named(own: Path) -> None:
    write(own / "rare", "5", 1)
    with pytest.raises(InputError, match="rare: has one picture"):
        datasets.load(str(own))


def test_one_folder_of_pictures_is_no_data_set(tmp_path: Path) -> None:
    write(tmp_path / "alone", "5", 3)
    assert not image_folder.is_folder(tmp_path)
    with pytest.raises(InputError, match="folders of pictures, one for each class"):
        datasets.load(str(tmp_path))


def test_a_thousand_classes_and_no_more(tmp_path: Path) -> None:
    grey = np.zeros((28, 28), np.uint8)
    for number in range(1001):
        (tmp_path / f"{number}").mkdir()
        for copy in range(2):
            grey[10:18, 10:12] = 255
            np.save(tmp_path / f"{number}" / f"{copy}.npy", grey)
    with pytest.raises(InputError, match="has 1001 classes, expected 2 to 1,000"):
        datasets.load(str(tmp_path))
    for file in (tmp_path / "1000").iterdir():
        file.unlink()
    assert datasets.load(str(tmp_path)).labels == tuple(map(str, range(1000)))
