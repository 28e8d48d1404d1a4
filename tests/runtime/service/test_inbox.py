"""The inbox: pictures that are kept to train with, within limits."""

from __future__ import annotations

import re
import shutil
from datetime import datetime, tzinfo
from pathlib import Path

import numpy as np
import pytest
from mnist_edge_runtime import Classifier
from mnist_edge_runtime.errors import BlankError, InputError
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.preprocessing.image_io import load_picture
from mnist_edge_runtime.preprocessing.mnist import to_mnist, to_picture
from mnist_edge_runtime.service import inbox
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
        folder, name, _ = box.keep(pixels, "7")
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
    third = box.keep(digits[4]).name
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
    kept = [box.keep(np.roll(rough, shift))[1] for shift in range(4)]
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
    name = box.keep(digits[7], "7").name
    other = Inbox(tmp_path, LABELS)
    assert not other.remove(name)
    assert not box.remove(f"7/{name}")
    assert box.remove(name)
    assert not box.remove(name)
    assert [path.name for path in tmp_path.iterdir()] == ["unsure"]


def test_a_picture_is_there_once(tmp_path: Path, digits: list[NDArray[np.uint8]]) -> None:
    """Whoever kept it and wherever it was sorted: a training refuses a picture that has two classes."""
    box = Inbox(tmp_path, LABELS)
    name = box.keep(digits[7]).name
    assert box.keep(digits[7]) == ("unsure", name, None)
    box = Inbox(tmp_path, LABELS)  # the service was started again
    assert box.keep(digits[7], "7") == ("7", name, "unsure")
    assert box.keep(digits[7], "7") == ("7", name, None)
    assert box.keep(digits[7]) == ("7", name, None)  # what has a class keeps it
    labelled = tmp_path / "1"
    labelled.mkdir()
    (tmp_path / "7" / name).rename(labelled / name)  # as `label` does
    (tmp_path / "7").rmdir()
    assert box.keep(digits[7], "7") == ("7", name, "1")
    assert names(tmp_path) == [f"7/{name}"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["7", "unsure"]  # an empty class could not be trained
    (tmp_path / "discarded").mkdir()
    (tmp_path / "7" / name).rename(tmp_path / "discarded" / name)
    assert box.keep(digits[7]) == ("discarded", name, None)
    assert box.keep(digits[7], "tick") == ("tick", name, "discarded")
    assert not box.remove(name)
    assert names(tmp_path) == [f"tick/{name}"]


def test_what_was_there_before_is_never_removed(tmp_path: Path, digits: list[NDArray[np.uint8]]) -> None:
    first = Inbox(tmp_path, LABELS).keep(digits[7], "7").name
    box = Inbox(tmp_path, LABELS)  # the service was started again
    box.keep(digits[7], "7")
    assert not box.remove(first)
    assert names(tmp_path) == [f"7/{first}"]
    assert box.keep(digits[7], "1").moved_from == "7"
    assert not box.remove(first)
    assert names(tmp_path) == [f"1/{first}"]
    own = box.keep(digits[3]).name
    box.keep(digits[3], "3")
    assert box.remove(own)
    assert names(tmp_path) == [f"1/{first}"]


def test_the_same_picture_of_somebody_else_under_another_class(tmp_path: Path, digits: list[NDArray[np.uint8]]) -> None:
    """It is not moved, and a training would refuse the two."""
    box = Inbox(tmp_path, LABELS)
    name = box.keep(digits[7], "1").name
    (tmp_path / "1" / name).rename(tmp_path / "1" / "photo.png")
    with pytest.raises(InputError, match=r"the same picture lies there as 1/photo\.png; remove it, or move it"):
        box.keep(digits[7], "7")
    assert names(tmp_path) == ["1/photo.png"]
    assert box.keep(digits[7], "1").name != "photo.png"  # copies in one class count once


def test_a_picture_that_cannot_be_written_leaves_no_empty_class(
    tmp_path: Path, digits: list[NDArray[np.uint8]], monkeypatch: pytest.MonkeyPatch
) -> None:
    box = Inbox(tmp_path, LABELS)

    def full(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="no space left"):
        box.keep(digits[7], "7")
    assert [path.name for path in tmp_path.iterdir()] == ["unsure"]


def test_what_others_have_put_there_is_not_moved(tmp_path: Path, digits: list[NDArray[np.uint8]]) -> None:
    box = Inbox(tmp_path, LABELS)
    name = box.keep(digits[7]).name
    (tmp_path / "unsure" / name).rename(tmp_path / "unsure" / "mine.png")
    kept = box.keep(digits[7], "7")
    assert names(tmp_path) == [f"7/{kept.name}", "unsure/mine.png"]


def test_one_that_is_moved_as_it_is_named_is_found(
    tmp_path: Path, digits: list[NDArray[np.uint8]], monkeypatch: pytest.MonkeyPatch
) -> None:
    box, real = Inbox(tmp_path, LABELS), inbox.move
    name = box.keep(digits[7]).name

    def move(path: Path, folder: Path) -> Path:
        if path.parent.name == "unsure":
            real(path, tmp_path / "1")  # `label` is faster
        return real(path, folder)

    monkeypatch.setattr(inbox, "move", move)
    assert box.keep(digits[7], "7") == ("7", name, "1")
    assert names(tmp_path) == [f"7/{name}"]


def test_naming_needs_no_room(tmp_path: Path, digits: list[NDArray[np.uint8]]) -> None:
    """What is named does not make room for itself, nor does another one for it."""
    box = Inbox(tmp_path, LABELS, most=2)
    first, second = (box.keep(pixels).name for pixels in digits[:2])
    box.keep(digits[1], "1")
    assert names(tmp_path) == [f"1/{second}", f"unsure/{first}"]
    box.keep(digits[0], "0")
    assert names(tmp_path) == [f"0/{first}", f"1/{second}"]
    box.keep(digits[0], "6")
    assert names(tmp_path) == [f"1/{second}", f"6/{first}"]


def test_a_clock_that_is_behind_changes_no_order(
    tmp_path: Path, digits: list[NDArray[np.uint8]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Boards without a clock of their own start in the past; names that say no time are no reason to fail."""
    box = Inbox(tmp_path, LABELS, most=3)
    first = box.keep(digits[0]).name

    class Behind(datetime):
        @classmethod
        def now(cls, zone: tzinfo | None = None) -> Behind:
            return cls(2021, 1, 1, tzinfo=zone)

    monkeypatch.setattr(inbox, "datetime", Behind)
    later = [box.keep(pixels).name for pixels in digits[1:4]]
    assert [first, *later] == sorted([first, *later])
    assert names(tmp_path / "unsure") == later
    for strange in ("99999999-999999-999999-00000000.png", "99991231-235959-999999-00000000.png"):
        (tmp_path / "unsure" / later[0]).rename(tmp_path / "unsure" / strange)
        later = [strange, *later[1:]]
        assert box.keep(digits[8], "8").name.startswith("20210101-000000-")
        shutil.rmtree(tmp_path / "8")


def test_only_pictures_count(tmp_path: Path, digits: list[NDArray[np.uint8]]) -> None:
    box = Inbox(tmp_path, LABELS, most=2, most_bytes=10_000)
    (tmp_path / "unsure" / "notes.txt").write_bytes(bytes(20_000))
    (tmp_path / "unsure" / "Thumbs.db").touch()
    (tmp_path / "unsure" / "a.PNG").write_bytes(b"a")
    box.keep(digits[1], "1")
    (tmp_path / "1" / "desktop.ini").touch()
    assert (box.state()["pictures"], box.state()["unsure"], box.state()["classes"]) == (2, 1, {"1": 1})
    assert box.state()["bytes"] < 10_000
    with pytest.raises(FullError) as full:
        box.keep(digits[2])
    assert str(full.value) == (
        "the inbox is full (2 pictures, 0.0 MB); train with them, then move them away; what others put into unsure and "
        "discarded (1) stays: sort it, or move it away"
    )


def test_a_folder_that_cannot_be_one(tmp_path: Path) -> None:
    (file := tmp_path / "file").touch()
    with pytest.raises(InputError, match="is a file, expected a folder"):
        Inbox(file, LABELS)
