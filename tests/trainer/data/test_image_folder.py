from __future__ import annotations

import io
import shutil
import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from mnist_edge_runtime import load_picture, to_mnist
from mnist_edge_runtime.errors import InputError
from mnist_edge_trainer.data import datasets, image_folder
from mnist_edge_trainer.demo import synthetic_digits
from numpy.typing import NDArray
from PIL import Image, features

KEEP = ("a", "B", "10", "9", "ä ö")
ORDER = ("9", "10", "B", "a", "ä ö")


@cache
def draw(digit: str, tilt: float = 0.0) -> NDArray[np.uint8]:
    return synthetic_digits.draw(digit, tilt=tilt)


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
    assert image_folder.class_folders(tmp_path) == ["alone"]
    with pytest.raises(InputError, match="folders of pictures, one for each class"):
        datasets.load(str(tmp_path))


@pytest.mark.long
def test_a_thousand_classes_and_no_more(tmp_path: Path) -> None:
    grey = np.zeros((28, 28), np.uint8)
    for number in range(1001):
        (tmp_path / f"{number}").mkdir()
        for copy in range(2):
            grey[10:18, 10:12] = 255
            np.save(tmp_path / f"{number}" / f"{copy}.npy", grey)
    with pytest.raises(InputError, match="has 1001 classes, expected 2 to 1,000"):
        datasets.load(str(tmp_path))
    shutil.rmtree(tmp_path / "1000")
    assert datasets.load(str(tmp_path)).labels == tuple(map(str, range(1000)))


HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200)


@pytest.mark.parametrize("suffix", ["dat", "PNG", "jpeg", "txt", ""])
def test_a_file_is_what_its_bytes_say(own: Path, suffix: str) -> None:
    before = len(image_folder.read_classes(own).train.labels)
    Image.fromarray(draw("4")).save(own / "a" / "new.png")
    (own / "a" / "new.png").rename(own / "a" / f"new.{suffix}")
    found = image_folder.read_classes(own)
    assert len(found.train.labels) == before + 1
    assert [note for note in found.notes if "left out" in note] == []


@pytest.mark.parametrize(
    ("suffix", "format"),
    [
        *(("jfif", "JPEG"), ("ppm", "PPM"), ("jpe", "JPEG"), ("dib", "BMP")),
        *(("webp", "WEBP"), ("tif", "TIFF"), ("gif", "GIF"), ("avif", "AVIF")),
    ],
)
def test_a_class_may_have_pictures_of_any_format(own: Path, suffix: str, format: str) -> None:
    if format in ("WEBP", "AVIF") and not features.check(format.lower()):
        pytest.skip(f"this Pillow has no {format}")
    (own / "new").mkdir()
    for number in range(3):
        Image.fromarray(draw("4", tilt=float(number))).save(own / "new" / f"{number}.{suffix}", format)
    found = image_folder.read_classes(own)
    assert np.bincount(found.train.labels)[found.names.index("new")] == 3


def test_what_is_left_out_is_counted_by_kind_and_class(own: Path) -> None:
    for number in range(3):
        (own / "B" / f"{number}.heic").write_bytes(HEIC)
    (own / "B" / "list.txt").write_text("text")
    (own / "B" / "within").mkdir()
    Image.fromarray(draw("4")).save(own / "loose.png")
    assert image_folder.read_classes(own).notes == (
        f"{own}: left out 1 picture beside the class folders",
        f"{own / 'B'}: left out 3 HEIC, 1 text, 1 folder, no pictures that can be read",
    )


@pytest.mark.parametrize(
    ("content", "kind", "advice"),
    [
        (HEIC, "2 HEIC", "convert it to JPEG or PNG"),
        (b"%PDF-1.4", "2 PDF", "save the page that you want read as PNG"),
        (b"version https://git-lfs.github.com/spec/v1", "2 git-lfs pointer", "git lfs pull"),
    ],
)
def test_a_class_that_would_lose_all_its_pictures_is_an_error(
    own: Path, content: bytes, kind: str, advice: str
) -> None:
    (own / "new").mkdir()
    for number in range(2):
        (own / "new" / f"{number}.png").write_bytes(content)
    with pytest.raises(InputError, match=rf"new: none of its files is a picture .*\({kind}\); .*{advice}"):
        datasets.load(str(own))


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("0.png", b"picture")
    return file.getvalue()


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({f"img{number:02}": bytes(500) for number in range(23)}, r"\(23 unknown\).*img00, img01, img02 and 20 more"),
        ({"0.png.bak": b"text", "1.png.bak": b"text"}, r"\(2 text\); put pictures there.*0\.png\.bak"),
        ({"a.zip": zipped()}, r"\(1 ZIP\); put pictures there.*a\.zip"),
        ({"read me.txt": b"notes", "list.csv": b"1,2"}, r"\(2 text\)"),
        ({"within/0.png": b"deeper"}, r"\(1 folder\)"),
        ({".0.png": b"\x89PNG", "._1.png": b""}, r"not looked at \(\._1\.png, \.0\.png\)|\(\.0\.png, \._1\.png\)"),
        ({}, "is empty; remove it or fill it"),
    ],
    ids=["zeros", "backups", "archive", "notes", "a folder deeper", "hidden", "empty"],
)
@pytest.mark.parametrize("part", ["", "train", "test"])
def test_a_class_folder_without_pictures_is_an_error(
    tmp_path: Path, files: Mapping[str, bytes], message: str, part: str
) -> None:
    for name in ("train", "test") if part else ("",):
        for digit in (3, 4):
            write(tmp_path / name / str(digit), str(digit), 3)
    new = tmp_path / part / "new"
    new.mkdir()
    for file, content in files.items():
        (new / file).parent.mkdir(exist_ok=True)
        (new / file).write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        datasets.load(str(tmp_path))
    assert str(caught.value).startswith(f"{new}: ")


def test_all_classes_that_would_be_lost_are_named(own: Path) -> None:
    for number in range(22):
        (own / f"empty {number:02}").mkdir()
    with pytest.raises(InputError) as caught:
        datasets.load(str(own))
    first, *lines, last = str(caught.value).splitlines()
    assert first == "classes would be lost:"
    assert lines[0] == f"  {own / 'empty 00'}: is empty; remove it or fill it"
    assert (len(lines), last) == (20, "  and 2 more")


@pytest.mark.parametrize("name", ["latest", ".classic~training"])
def test_the_folder_of_runs_may_lie_within_the_data(own: Path, name: str) -> None:
    (own / "runs").mkdir()
    (own / "runs" / name).write_text("classic")
    assert datasets.load(str(own)).labels == ORDER


def test_bad_pictures_are_listed_together(own: Path) -> None:
    for number in range(33):
        (own / "9" / f"bad {number:02}.png").write_bytes(b"no picture")
    (own / "a" / "0.jpg").unlink(missing_ok=True)
    Image.new("L", (40, 40)).save(own / "a" / "blank.png")
    (own / "a" / "gone.png").symlink_to(own / "nowhere")
    with pytest.raises(InputError) as caught:
        datasets.load(str(own))
    first, *lines = str(caught.value).splitlines()
    assert first == "35 of 105 pictures cannot be used; repair or remove:"
    assert len(lines) == 21
    assert lines[0].startswith(f"  {own / '9' / 'bad 00.png'}: ")
    assert lines[-1] == "  and 15 more"


def test_bad_pictures_include_blank_and_missing_ones(own: Path) -> None:
    Image.new("L", (40, 40)).save(own / "a" / "blank.png")
    (own / "a" / "gone.png").symlink_to(own / "nowhere")
    with pytest.raises(InputError) as caught:
        datasets.load(str(own))
    assert [name in str(caught.value) for name in ("2 of 72 pictures", "a/blank.png", "a/gone.png")] == [True] * 3


@pytest.mark.parametrize("names", [("training", "testing"), ("Train", "Test"), ("trainingSet", "testSet")])
@pytest.mark.parametrize("within", ["", "mnist_png"])
def test_parts_have_many_spellings(tmp_path: Path, names: tuple[str, str], within: str) -> None:
    for part, count in zip(names, (5, 2), strict=True):
        for name in ("10", "9"):
            write(tmp_path / within / part / name, "3" if name == "9" else "7", count)
    dataset = datasets.load(str(tmp_path))
    assert dataset.labels == ("9", "10")
    assert (len(dataset.train_images), len(dataset.test_images)) == (10, 4)


def test_pictures_for_validation_validate(tmp_path: Path) -> None:
    for part, count in (("train", 5), ("valid", 3), ("test", 2)):
        for digit, name in ((3, "a"), (7, "b")):
            write(tmp_path / part / name, str(digit), count)
    split = datasets.split(datasets.load(str(tmp_path)))
    assert (len(split.train.labels), len(split.validation.labels)) == (10, 6)


def test_pictures_for_validation_test_where_no_others_do(tmp_path: Path) -> None:
    for part, count in (("train", 5), ("val", 3)):
        for digit, name in ((3, "a"), (7, "b")):
            write(tmp_path / part / name, str(digit), count)
    found = image_folder.read_parts(tmp_path, image_folder.part_folders(tmp_path))
    assert found.test is not None
    assert found.validation is None
    assert len(found.test.labels) == 6
    assert found.notes == (f"{tmp_path / 'val'} has the test images, since there are no others",)


def test_two_folders_for_a_part_leave_a_doubt(tmp_path: Path) -> None:
    for part in ("trainingSet", "trainingSample"):
        for name in ("a", "b"):
            write(tmp_path / part / name, "3", 2)
    with pytest.raises(InputError, match="trainingSample and trainingSet leave open which has the training pictures"):
        datasets.load(str(tmp_path))


def test_test_pictures_without_class_folders_are_no_test(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path / "train" / name, "3", 4)
    write(tmp_path / "test", "3", 2)
    with pytest.raises(InputError, match=r"to test on a seventh of train, name .*train itself"):
        datasets.load(str(tmp_path))


def test_folders_that_are_no_classes_can_be_left_out(own: Path) -> None:
    assert image_folder.read_classes(own, leave_out=["B", "10"]).names == ("9", "a", "ä ö")
