from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from mnist_edge_runtime.errors import InputError
from mnist_edge_trainer.data import datasets, own_pictures
from mnist_edge_trainer.data.datasets import Dataset
from mnist_edge_trainer.data.own_pictures import OwnPictures
from mnist_edge_trainer.demo import synthetic_digits
from numpy.typing import NDArray
from PIL import Image

KNOWN = tuple("0123456789")


@cache
def draw(digit: str, tilt: float) -> NDArray[np.uint8]:
    return synthetic_digits.draw(digit, tilt=tilt)


def write(folder: Path, counts: Mapping[str, int], first: int = 0) -> Path:
    """Write so many pictures of each class; those of a class that is no digit are of a 4."""
    for name, count in counts.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        for number in range(first, first + count):
            digit = name if name in KNOWN else "4"
            Image.fromarray(draw(digit, float(number))).save(folder / name / f"{number}.png")
    return folder


def held(own: OwnPictures) -> dict[str, tuple[int, int]]:
    """Return for each class how many pictures train, and how many are held out."""
    return {
        name: (
            int(((own.labels == name) & ~own.held_out).sum()),
            int(((own.labels == name) & own.held_out).sum()),
        )
        for name in own.classes
    }


def test_a_fifth_of_each_class_is_held_out_the_same_each_time(tmp_path: Path) -> None:
    folder = write(tmp_path / "own", {"7": 10, "2": 2, "3": 1, "1": 4})
    own = own_pictures.read(folder, KNOWN)
    assert held(own) == {"1": (3, 1), "2": (1, 1), "3": (1, 0), "7": (8, 2)}
    assert own.describe() == own_pictures.read(folder, KNOWN).describe()
    described = own.describe()
    assert (described["train"], described["held_out"]) == (13, 4)
    assert described["per_class"] == {"1": 4, "2": 2, "3": 1, "7": 10}


def test_pictures_keep_their_roles_when_more_come(tmp_path: Path) -> None:
    """What trained once is never held out later; what lies in the folder no longer is kept all the same."""
    folder = write(tmp_path / "own", {"7": 5})
    earlier = own_pictures.read(folder, KNOWN)
    write(folder, {"7": 15}, first=5)
    (folder / "7" / "0.png").unlink()
    own = own_pictures.read(folder, KNOWN, earlier)
    assert held(own) == {"7": (16, 4)}
    roles = {image.tobytes(): bool(role) for image, role in zip(own.images, own.held_out, strict=True)}
    assert [roles[image.tobytes()] for image in earlier.images] == earlier.held_out.tolist()


def test_a_picture_that_was_labelled_again_counts_under_its_new_label(tmp_path: Path) -> None:
    folder = write(tmp_path / "own", {"7": 5, "1": 5})
    earlier = own_pictures.read(folder, KNOWN)
    (folder / "7" / "0.png").rename(folder / "1" / "moved.png")
    own = own_pictures.read(folder, KNOWN, earlier)
    assert own.describe()["per_class"] == {"1": 6, "7": 4}


def test_they_are_joined_with_a_data_set_whose_split_stays(tmp_path: Path, digits: Dataset) -> None:
    own = own_pictures.read(write(tmp_path / "own", {"7": 5, "tick": 10}), KNOWN)
    joined, split = own_pictures.join(digits, own), datasets.split(digits)
    assert joined.labels == (*KNOWN, "tick")
    assert len(joined.train_labels) == len(split.train.labels) + 12
    assert joined.test_labels[len(digits.test_labels) :].tolist() == [7, 10, 10]
    assert (datasets.split(joined).validation.images == split.validation.images).all()
    assert joined.describe()["base"]["sha256"] == digits.sha256
    assert joined.describe()["own"] == own.describe()


def test_they_are_saved_and_loaded(tmp_path: Path) -> None:
    own = own_pictures.read(write(tmp_path / "own", {"7": 5, "ä ö": 5}), KNOWN)
    own.save(file := tmp_path / "own.npz")
    assert own_pictures.load(file).describe() == own.describe()
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(InputError, match=r"own\.npz: is damaged"):
        own_pictures.load(file)
    with pytest.raises(InputError, match=r"nowhere\.npz: is missing"):
        own_pictures.load(tmp_path / "nowhere.npz")


def test_what_is_not_sorted_yet_is_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write(tmp_path / "own", {"7": 10, "unsure": 3, "1": 10})
    assert own_pictures.read(folder, KNOWN).classes == ["1", "7"]
    assert capsys.readouterr().err == (
        f"WARNING: {folder}: left out unsure, which nobody has labelled yet (mnist-edge label {folder}).\n"
    )
    for path in (folder / "unsure").iterdir():
        path.unlink()
    assert own_pictures.read(folder, KNOWN).classes == ["1", "7"]
    assert capsys.readouterr().err == ""


def test_copies_count_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write(tmp_path / "own", {"7": 10, "1": 10})
    (folder / "7" / "copy.png").write_bytes((folder / "7" / "3.png").read_bytes())
    assert own_pictures.read(folder, KNOWN).describe()["per_class"] == {"1": 10, "7": 10}
    assert "1 picture left out that the network sees exactly as another one" in capsys.readouterr().err


def test_few_pictures_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    own_pictures.read(write(tmp_path / "own", {"7": 4}), KNOWN)
    told = capsys.readouterr().err
    assert "few pictures of 7 (4); 10 of each class are advised" in told
    assert "pictures of one class alone" in told


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({"tick": 4, "1": 5}, r"own/tick: has 4 pictures of a class that the network does not know; it needs at least"),
        ({"07": 5}, r"own/07: is nearly the same name as the network's '7'; put its pictures into .*own/7, or"),
        ({"Seven": 5}, r"own/Seven: is nearly the same name as the network's '7'"),
        ({"\uff17": 5}, r"is nearly the same name as the network's '7'"),
        ({"Tick": 5, "tick": 5}, r"own/tick: is nearly the same name as the folder 'Tick'"),
        ({"unsure": 5}, r"own: has pictures in unsure alone; sort them with: mnist-edge label .*own"),
        ({"7": 5, "1": 0}, r"own/1: is empty; remove it or fill it"),
        ({"1 ": 5}, r"'1 ' begins or ends with a blank; rename it"),
    ],
)
def test_classes_that_cannot_be_kept_are_refused(tmp_path: Path, counts: dict[str, int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        own_pictures.read(write(tmp_path / "own", counts), KNOWN)


def test_single_letters_differ_by_their_case(tmp_path: Path) -> None:
    folder = write(tmp_path / "own", {"A": 5})
    write(folder, {"a": 5}, first=5)
    assert own_pictures.read(folder, KNOWN).classes == ["A", "a"]


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere: no such folder; --also takes a folder of your own pictures"):
        own_pictures.read(tmp_path / "nowhere", KNOWN)
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"file: is no folder"):
        own_pictures.read(tmp_path / "file", KNOWN)
    Image.fromarray(draw("7", 0.0)).save(tmp_path / "photo.png")
    with pytest.raises(InputError, match=r"in a folder for each class, such as .*9/photo\.png, got file, photo\.png"):
        own_pictures.read(tmp_path, KNOWN)


def test_pictures_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    folder = write(tmp_path / "own", {"7": 5, "1": 5})
    Image.new("L", (60, 60), 255).save(folder / "7" / "blank.png")
    with pytest.raises(InputError, match=r"a picture cannot be used; repair or remove:\n.*7/blank\.png"):
        own_pictures.read(folder, KNOWN)


def test_a_picture_in_two_classes_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "own", {"7": 5, "1": 5})
    (folder / "1" / "copy.png").write_bytes((folder / "7" / "3.png").read_bytes())
    with pytest.raises(InputError, match="the same picture lies in 1 and in 7; remove it from one of them"):
        own_pictures.read(folder, KNOWN)
