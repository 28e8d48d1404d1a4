"""The inbox: pictures that are kept to train with, within limits."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from mnist_edge_runtime import Classifier
from mnist_edge_runtime.errors import BlankError, InputError
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.preprocessing.image_io import load_picture
from mnist_edge_runtime.preprocessing.mnist import to_mnist, to_picture
from mnist_edge_runtime.service.inbox import FullError, Inbox, TooLargeError
from numpy.typing import NDArray

LABELS = tuple("0123456789")


@pytest.fixture(scope="module")
def digits(classifier: Classifier) -> list[NDArray[np.uint8]]:
    return [to_picture(image) for image in sealed_model.read(str(classifier.file)).golden.images[:10]]


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_what_is_stored_is_read_as_it_was(tmp_path: Path, digits: list[NDArray[np.uint8]]) -> None:
    """Also a picture in MNIST's own form, which a camera keeps; the names are in the order of time."""
    box, kept = Inbox(tmp_path / "box", LABELS), []
    for pixels in [*digits, *map(to_mnist, digits)]:
        folder, name = box.keep(pixels, "7")
        kept.append(name)
        np.testing.assert_array_equal(load_picture(tmp_path / "box" / folder / name), pixels)
        np.testing.assert_array_equal(to_mnist(load_picture(tmp_path / "box" / "7" / name)), to_mnist(pixels))
    assert kept == sorted(kept)
    assert names(tmp_path / "box") == [f"7/{name}" for name in kept]
    assert all(re.fullmatch(r"\d{8}-\d{6}-\d{6}-[0-9a-f]{8}\.png", name) for name in kept)


def test_the_oldest_that_are_unsure_make_room(tmp_path: Path, digits: list[NDArray[np.uint8]]) -> None:
    """What has a class never goes, and neither does what another program has put there."""
    box = Inbox(tmp_path, LABELS, most=4)
    (tmp_path / "unsure" / "mine.png").write_bytes(b"mine")
    first, second = (box.keep(pixels)[1] for pixels in digits[:2])
    box.keep(digits[2], "2")
    box.keep(digits[3], "3")
    assert first not in {path.name for path in (tmp_path / "unsure").iterdir()}
    _, third = box.keep(digits[4])
    assert set(names(tmp_path / "unsure")) == {"mine.png", third}
    assert second not in {path.name for path in (tmp_path / "unsure").iterdir()}
    box.keep(digits[5], "5")
    with pytest.raises(FullError, match=r"the inbox is full \(4 pictures, 0\.0 MB\); train with them, then move them"):
        box.keep(digits[6], "6")
    with pytest.raises(FullError, match="full"):
        box.keep(digits[6])
    assert box.state() | {"bytes": 0} == {
        "pictures": 4,
        "unsure": 1,
        "classes": {"2": 1, "3": 1, "5": 1},
        "bytes": 0,
        "most": {"pictures": 4, "bytes": 50_000_000},
    }
    assert box.described() == f"inbox {tmp_path}: 4 pictures, 1 of them unsure; 4 pictures and 50 MB at most"


def test_bytes_are_limited_too(tmp_path: Path, digits: list[NDArray[np.uint8]]) -> None:
    rough = np.random.default_rng(1).integers(0, 256, (100, 100), np.uint8)
    box = Inbox(tmp_path, LABELS, most_bytes=25_000)
    kept = [box.keep(rough)[1] for _ in range(4)]
    assert names(tmp_path / "unsure") == kept[2:]
    large = np.random.default_rng(1).integers(0, 256, (2_000, 2_100), np.uint8)
    with pytest.raises(TooLargeError, match=r"the picture takes 4\.2 MB as PNG, above 4; crop it"):
        box.keep(large)


def test_one_that_is_blank_is_not_kept(tmp_path: Path) -> None:
    """It would keep all others from being trained on."""
    box = Inbox(tmp_path, LABELS)
    with pytest.raises(BlankError):
        box.keep(np.full((50, 50), 200, np.uint8), "7")
    assert names(tmp_path) == []


def test_one_is_taken_back(tmp_path: Path, digits: list[NDArray[np.uint8]]) -> None:
    """An empty class would be an error of the training; what is not from here is not removed."""
    box = Inbox(tmp_path, LABELS)
    _, name = box.keep(digits[7], "7")
    other = Inbox(tmp_path, LABELS)
    assert not other.remove(name)
    assert not box.remove(f"7/{name}")
    assert box.remove(name)
    assert not box.remove(name)
    assert [path.name for path in tmp_path.iterdir()] == ["unsure"]


def test_a_folder_that_cannot_be_one(tmp_path: Path) -> None:
    (file := tmp_path / "file").touch()
    with pytest.raises(InputError, match="is a file, expected a folder"):
        Inbox(file, LABELS)
