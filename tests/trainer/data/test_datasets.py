from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mnist_edge_runtime.errors import InputError
from mnist_edge_trainer.data import cache, datasets
from mnist_edge_trainer.data.datasets import Dataset
from mnist_edge_trainer.data.idx import Arrays

Write = Callable[[Path, Arrays], Path]


def words(text: str) -> str:
    """Return the text with the line breaks of a narrow terminal taken out."""
    return " ".join(text.split())


def assert_same(found: Dataset, expected: Dataset) -> None:
    for name in ("train_images", "train_labels", "test_images", "test_labels"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))


class TestDigits:
    def test_shape(self, digits: Dataset) -> None:
        assert digits.name == "digits"
        assert digits.train_images.shape == (1497, 28, 28)
        assert digits.test_images.shape == (300, 28, 28)
        assert digits.train_images.dtype == digits.test_images.dtype == np.uint8
        assert digits.train_labels.shape == (1497,)
        assert digits.test_labels.shape == (300,)
        assert digits.train_labels.dtype == digits.test_labels.dtype == np.int64
        assert digits.labels == tuple("0123456789")
        assert set(digits.train_labels) == set(digits.test_labels) == set(range(10))
        assert digits.warning is None

    def test_every_image_is_in_mnists_form(self, digits: Dataset) -> None:
        """White on black, 20 pixels on the longer side, the centre of mass in the middle."""
        images = np.concatenate([digits.train_images, digits.test_images])
        assert (images.max(axis=(1, 2)) == 255).all()
        for image in images.astype(float):
            rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
            assert 19 <= max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1 <= 20
            for mass, inked in ((image.sum(axis=1), rows), (image.sum(axis=0), columns)):
                centre = mass @ np.arange(28) / mass.sum()
                at_the_edge = inked[0] == 0 or inked[-1] == 27
                assert abs(centre - 14) <= 0.51 or at_the_edge

    def test_labels_belong_to_their_images(self, digits: Dataset) -> None:
        """The image closest to the mean of a class mostly is of that class; shuffled labels would give 10 %."""
        pixels = digits.train_images.reshape(-1, 784).astype(float)
        means = np.stack([pixels[digits.train_labels == label].mean(axis=0) for label in range(10)])
        distances = ((digits.test_images.reshape(-1, 1, 784) - means) ** 2).sum(axis=2)
        assert (distances.argmin(axis=1) == digits.test_labels).mean() > 0.8

    def test_test_images_are_not_training_images(self, digits: Dataset) -> None:
        train = {image.tobytes() for image in digits.train_images}
        assert not any(image.tobytes() in train for image in digits.test_images)

    def test_they_are_the_same_each_time(self, digits: Dataset) -> None:
        np.random.seed(123)  # the global state, on which nothing may depend
        again = datasets.load("digits")
        assert_same(again, digits)
        assert again.sha256 == digits.sha256

    def test_split(self, digits: Dataset) -> None:
        split = datasets.split(digits)
        assert split.train.images.shape == (1297, 28, 28)
        assert split.validation.images.shape == (200, 28, 28)
        assert split.train.labels.shape == (1297,)
        assert split.validation.labels.shape == (200,)
        assert set(split.validation.labels) == set(range(10))

    def test_split_parts_the_training_images(self, digits: Dataset) -> None:
        """Each training image lies on one side, with its own label, and no test image on either."""
        split = datasets.split(digits)

        def pairs(images: Any, labels: Any) -> list[tuple[bytes, int]]:
            return sorted((image.tobytes(), int(label)) for image, label in zip(images, labels, strict=True))

        parts = pairs(*split.train) + pairs(*split.validation)
        assert sorted(parts) == pairs(digits.train_images, digits.train_labels)

    def test_split_is_the_same_each_time(self, digits: Dataset) -> None:
        first = datasets.split(digits)
        np.random.seed(123)
        second = datasets.split(digits)
        assert first.sha256 == second.sha256
        np.testing.assert_array_equal(first.validation.images, second.validation.images)

    def test_another_split_has_another_hash(self, digits: Dataset) -> None:
        fewer = dataclasses.replace(digits, train_images=digits.train_images[1:], train_labels=digits.train_labels[1:])
        assert datasets.split(fewer).sha256 != datasets.split(digits).sha256


class TestMnist:
    def test_a_folder_of_mnist_is_called_mnist(self, mnist_folder: Path, mnist_arrays: Arrays) -> None:
        found = datasets.load(str(mnist_folder))
        assert found.name == "mnist"
        assert found.labels == tuple("0123456789")
        assert found.warning is None
        assert found.source == str(mnist_folder)
        for name, expected in mnist_arrays._asdict().items():
            np.testing.assert_array_equal(getattr(found, name), expected)

    @pytest.mark.parametrize("choice", ["mnist", "auto"])
    def test_the_environment_names_the_folder(
        self, mnist_folder: Path, offline: None, monkeypatch: pytest.MonkeyPatch, choice: str
    ) -> None:
        monkeypatch.setenv("MNIST_EDGE_DATA", str(mnist_folder))
        assert datasets.load(choice).name == "mnist"

    def test_split_is_stratified(self, mnist_folder: Path) -> None:
        found = datasets.load(str(mnist_folder))
        split = datasets.split(found)
        assert len(split.train.images) == len(split.train.labels) == 55_000
        assert len(split.validation.images) == len(split.validation.labels) == 5_000
        whole = np.bincount(found.train_labels) / 60_000
        assert np.abs(np.bincount(split.train.labels) / 55_000 - whole).max() < 1e-3
        assert np.abs(np.bincount(split.validation.labels) / 5_000 - whole).max() < 1e-3

    def test_what_it_says_of_itself_does_not_depend_on_the_place(self, mnist_folder: Path, mnist_npz: Path) -> None:
        assert datasets.load(str(mnist_folder)).describe() == datasets.load(str(mnist_npz)).describe()

    @pytest.mark.parametrize("cache", ["cache", "keras"])
    @pytest.mark.parametrize("choice", ["mnist", "auto"])
    def test_a_cache_needs_no_network(
        self, mnist_npz: Path, offline: Any, capsys: pytest.CaptureFixture[str], cache: str, choice: str
    ) -> None:
        file: Path = getattr(offline, cache)
        file.parent.mkdir(parents=True)
        file.symlink_to(mnist_npz)
        found = datasets.load(choice)
        assert (found.name, found.source) == ("mnist", str(file))
        assert capsys.readouterr().err == ""

    def test_keras_cache_stands_in_for_a_damaged_one(
        self, mnist_npz: Path, offline: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for file in (offline.cache, offline.keras):
            file.parent.mkdir(parents=True)
        offline.cache.write_bytes(b"damaged")
        offline.keras.symlink_to(mnist_npz)
        found = datasets.load("mnist")
        assert (found.name, found.source) == ("mnist", str(offline.keras))
        assert "ignored" in words(capsys.readouterr().err)

    def test_a_download_fills_the_cache(
        self, mnist_npz: Path, offline: Any, serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        offline.cache.parent.mkdir(parents=True)
        offline.cache.write_bytes(b"damaged")
        mirror = serve({"/mnist.npz": mnist_npz.read_bytes()})
        closed = os.environ["MNIST_EDGE_MIRRORS"]
        monkeypatch.setenv("MNIST_EDGE_MIRRORS", f"{closed} {mirror.url}mnist.npz")
        first = datasets.load("mnist")
        assert (first.name, first.source) == ("mnist", f"{mirror.url}mnist.npz")
        assert list(offline.cache.parent.iterdir()) == [offline.cache]
        monkeypatch.setenv("MNIST_EDGE_MIRRORS", closed)
        second = datasets.load("mnist")
        assert second.source == str(offline.cache)
        assert mirror.requests == ["/mnist.npz"]
        assert_same(second, first)

    def test_a_cache_that_cannot_be_written_loses_no_download(
        self,
        tmp_path: Path,
        mnist_npz: Path,
        offline: None,
        serve: Callable[..., Any],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        (tmp_path / "file").write_text("where a folder should be")
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
        monkeypatch.setenv("MNIST_EDGE_MIRRORS", serve({"/mnist.npz": mnist_npz.read_bytes()}).url + "mnist.npz")
        assert datasets.load("auto").name == "mnist"


class TestCustom:
    def test_labels_are_named_as_they_were(self, tmp_path: Path, letters: Arrays, write_folder: Write) -> None:
        found = datasets.load(str(write_folder(tmp_path, letters)))
        assert found.name == "custom"
        assert found.source == str(tmp_path.resolve())
        assert found.labels == tuple(str(number) for number in range(1, 27))
        np.testing.assert_array_equal(found.train_labels, letters.train_labels.astype(int) - 1)
        np.testing.assert_array_equal(found.test_labels, letters.test_labels.astype(int) - 1)
        np.testing.assert_array_equal(found.train_images, letters.train_images)
        assert found.train_labels.dtype == found.test_labels.dtype == np.int64

    def test_labels_may_have_gaps_and_signs(self, tmp_path: Path, letters: Arrays, write_npz: Write) -> None:
        names = np.array([-7, 0, 300, 100_000])
        arrays = letters._replace(
            train_labels=names[letters.train_labels % 4], test_labels=names[letters.test_labels % 4]
        )
        found = datasets.load(str(write_npz(tmp_path / "own.npz", arrays)))
        assert found.labels == ("-7", "0", "300", "100000")
        np.testing.assert_array_equal(found.test_labels, letters.test_labels % 4)

    @pytest.mark.parametrize("part", ["train", "test"])
    def test_images_that_are_dark_on_light_are_refused(
        self, tmp_path: Path, letters: Arrays, write_npz: Write, part: str
    ) -> None:
        images = getattr(letters, f"{part}_images").copy()
        some = len(images) * 3 // 4
        images[:some] = 255 - images[:some]
        file = write_npz(tmp_path / "own.npz", letters._replace(**{f"{part}_images": images}))
        name = {"train": "training", "test": "test"}[part]
        with pytest.raises(InputError, match=rf"own\.npz: 75% of the {name} images are dark on light.*255 - image"):
            datasets.load(str(file))

    @pytest.mark.parametrize("paper", [0, 60])
    def test_a_few_that_are_dark_on_light_may_be_among_them(
        self, tmp_path: Path, letters: Arrays, write_npz: Write, paper: int
    ) -> None:
        images = np.maximum(letters.train_images, np.uint8(paper))
        images[::3] = 255 - images[::3]
        file = write_npz(tmp_path / "own.npz", letters._replace(train_images=images))
        np.testing.assert_array_equal(datasets.load(str(file)).train_images, images)

    def test_a_twelfth_is_held_out(self, tmp_path: Path, letters: Arrays, write_folder: Write) -> None:
        split = datasets.split(datasets.load(str(write_folder(tmp_path, letters))))
        assert (len(split.train.labels), len(split.validation.labels)) == (572, 52)
        assert set(np.bincount(split.validation.labels)) == {2}

    def test_the_test_set_need_not_hold_every_class(self, tmp_path: Path, letters: Arrays, write_npz: Write) -> None:
        some = letters.test_labels < 5
        arrays = letters._replace(test_images=letters.test_images[some], test_labels=letters.test_labels[some])
        found = datasets.load(str(write_npz(tmp_path / "own.npz", arrays)))
        assert (len(found.labels), len(found.test_images)) == (26, some.sum())

    def test_other_data_has_another_hash(self, tmp_path: Path, letters: Arrays, write_npz: Write) -> None:
        images, labels, _, test_labels = letters
        changed_image, changed_label = images.copy(), test_labels.copy()
        changed_image[5, 6, 7] ^= 1
        changed_label[3] = 1 + changed_label[3] % 26
        variants = (
            letters,
            letters._replace(train_images=changed_image),
            letters._replace(test_labels=changed_label),
            letters._replace(train_images=images[:-1], train_labels=labels[:-1]),
        )
        hashes = {
            datasets.load(str(write_npz(tmp_path / f"{number}.npz", arrays))).sha256
            for number, arrays in enumerate(variants)
        }
        assert len(hashes) == len(variants)

    def test_what_it_says_of_itself_is_json_and_knows_no_path(
        self, tmp_path: Path, letters: Arrays, write_folder: Write, write_npz: Write
    ) -> None:
        folder = datasets.load(str(write_folder(tmp_path / "folder", letters)))
        file = datasets.load(str(write_npz(tmp_path / "file.npz", letters)))
        assert folder.describe() == file.describe()
        assert str(tmp_path) not in json.dumps(folder.describe())
        assert {**folder.describe(), "sha256": None} == {
            "name": "custom",
            "sha256": None,
            "train": 624,
            "test": 52,
            "warning": None,
        }

    @pytest.mark.parametrize(
        ("train", "test", "reason"),
        [
            (lambda label: label, lambda label: label + 1, r"the test labels \[27\] are not among the training labels"),
            (lambda label: label * 0, lambda label: label * 0, "has 1 classes, expected 2 to 1,000"),
        ],
        ids=["unseen test label", "one class"],
    )
    def test_labels_that_cannot_be_learnt_are_refused(
        self,
        tmp_path: Path,
        letters: Arrays,
        write_npz: Write,
        train: Callable[[Any], Any],
        test: Callable[[Any], Any],
        reason: str,
    ) -> None:
        arrays = letters._replace(train_labels=train(letters.train_labels), test_labels=test(letters.test_labels))
        with pytest.raises(InputError, match=reason) as caught:
            datasets.load(str(write_npz(tmp_path / "own.npz", arrays)))
        assert str(tmp_path / "own.npz") in str(caught.value)

    def test_more_than_a_thousand_classes_are_refused(self, tmp_path: Path, write_npz: Write) -> None:
        images, labels = np.zeros((1001, 28, 28), np.uint8), np.arange(1001)
        with pytest.raises(InputError, match=r"has 1001 classes"):
            datasets.load(str(write_npz(tmp_path / "own.npz", Arrays(images, labels, images, labels))))

    @pytest.mark.parametrize(
        "kept",
        [lambda labels: (labels != 9) | (np.cumsum(labels == 9) == 1), lambda labels: np.arange(len(labels)) < 51],
        ids=["one image of a class", "few images and many classes"],
    )
    def test_too_few_images_to_split(
        self, tmp_path: Path, letters: Arrays, write_npz: Write, kept: Callable[[Any], Any]
    ) -> None:
        some = kept(letters.train_labels)
        arrays = letters._replace(train_images=letters.train_images[some], train_labels=letters.train_labels[some])
        dataset = datasets.load(str(write_npz(tmp_path / "own.npz", arrays)))
        with pytest.raises(InputError, match=r"cannot be split.*a class needs at least two.*(9|26) \(1\)") as caught:
            datasets.split(dataset)
        assert str(tmp_path / "own.npz") in str(caught.value)

    @pytest.mark.parametrize("images", [52, 78])
    def test_of_few_images_one_of_each_class_validates(
        self, tmp_path: Path, letters: Arrays, write_npz: Write, images: int
    ) -> None:
        arrays = letters._replace(
            train_images=letters.train_images[:images], train_labels=letters.train_labels[:images]
        )
        split = datasets.split(datasets.load(str(write_npz(tmp_path / "own.npz", arrays))))
        assert set(np.bincount(split.validation.labels)) == {1}
        assert len(split.train.labels) == images - 26

    def test_validation_images_of_its_own_validate(self, tmp_path: Path, letters: Arrays) -> None:
        names = ("train_images", "train_labels", "val_images", "val_labels", "test_images", "test_labels")
        np.savez(tmp_path / "own.npz", **dict(zip(names, (*letters, *letters[2:]), strict=True)))
        found = datasets.load(str(tmp_path / "own.npz"))
        split = datasets.split(found)
        np.testing.assert_array_equal(split.train.images, letters.train_images)
        np.testing.assert_array_equal(split.validation.images, letters.test_images)
        np.testing.assert_array_equal(split.validation.labels, letters.test_labels.astype(int) - 1)
        assert (found.describe()["train"], found.describe()["validation"]) == (624, 52)
        np.savez(tmp_path / "other.npz", **dict(zip((*names[:2], *names[4:]), letters, strict=True)))
        other = datasets.load(str(tmp_path / "other.npz"))
        assert found.sha256 != other.sha256
        assert split.sha256 != datasets.split(other).sha256
        assert "validation" not in other.describe()

    def test_data_without_a_test_part_keeps_a_seventh_and_says_so(
        self, tmp_path: Path, letters: Arrays, capsys: pytest.CaptureFixture[str]
    ) -> None:
        np.savez(tmp_path / "own.npz", images=letters.train_images, labels=letters.train_labels)
        found = datasets.load(str(tmp_path / "own.npz"))
        assert set(np.bincount(found.test_labels)) == {3}
        assert len(found.train_images) + len(found.test_images) == 624
        assert "has no test images of its own; a seventh of each class" in capsys.readouterr().err
        assert datasets.load(str(tmp_path / "own.npz")).sha256 == found.sha256

    def test_copies_of_training_images_in_the_test_are_warned_of(
        self, tmp_path: Path, letters: Arrays, write_npz: Write, capsys: pytest.CaptureFixture[str]
    ) -> None:
        datasets.load(str(write_npz(tmp_path / "own.npz", letters)))
        assert capsys.readouterr().err == ""
        images = letters.test_images.copy()
        images[3:9] = letters.train_images[100:106]
        datasets.load(str(write_npz(tmp_path / "own.npz", letters._replace(test_images=images))))
        assert "WARNING: test images that are training images too, pixel by pixel: 6 of 52" in capsys.readouterr().err

    @pytest.mark.long
    @pytest.mark.parametrize("part", ["test", "validation", "training"])
    def test_each_part_must_stand_upright(
        self, tmp_path: Path, digits: Dataset, part: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        arrays = {
            "x_train": digits.train_images[300:],
            "x_valid": digits.train_images[:300],
            "x_test": digits.test_images,
        }
        name = {"training": "x_train", "validation": "x_valid", "test": "x_test"}[part]
        arrays[name] = arrays[name].swapaxes(1, 2)
        labels = {"y_train": digits.train_labels[300:], "y_valid": digits.train_labels[:300]}
        np.savez(tmp_path / "own.npz", **arrays, **labels, y_test=digits.test_labels)
        found = datasets.load(str(tmp_path / "own.npz"))
        warnings = [line for line in capsys.readouterr().err.splitlines() if "when they are transposed" in line]
        assert len(warnings) == 1
        assert f" {part} images when they are transposed" in warnings[0]
        assert f"WARNING: {found.warning}." == warnings[0]

    def test_what_is_left_out_is_told(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        for name in ("a", "b"):
            (tmp_path / name).mkdir()
            for number in range(4):
                picture = np.zeros((28, 28), np.uint8)
                picture[4 + number : 22, 10:14] = 255
                np.save(tmp_path / name / f"{number}.npy", picture)
        (tmp_path / "a" / "notes.txt").write_text("text")
        datasets.load(str(tmp_path))
        assert f"WARNING: {tmp_path / 'a'}: left out 1 text" in capsys.readouterr().err


class TestWithoutMnist:
    @pytest.mark.parametrize("choice", ["mnist", "auto"])
    def test_the_environment_must_name_mnist(
        self,
        tmp_path: Path,
        letters: Arrays,
        write_folder: Write,
        offline: None,
        monkeypatch: pytest.MonkeyPatch,
        choice: str,
    ) -> None:
        monkeypatch.setenv("MNIST_EDGE_DATA", str(write_folder(tmp_path / "letters", letters)))
        with pytest.raises(InputError, match="holds data other than MNIST") as caught:
            datasets.load(choice)
        assert f"--data {tmp_path / 'letters'}" in str(caught.value)

    def test_a_wrong_folder_in_the_environment_is_no_reason_to_fall_back(
        self, tmp_path: Path, offline: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MNIST_EDGE_DATA", str(tmp_path / "nowhere"))
        with pytest.raises(InputError, match=r"no such file or folder.*\(MNIST_EDGE_DATA names it\)"):
            datasets.load("auto")

    def test_the_environment_does_not_overrule_a_choice(
        self, tmp_path: Path, digits: Dataset, offline: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MNIST_EDGE_DATA", str(tmp_path / "nowhere"))
        assert datasets.load("digits").sha256 == digits.sha256

    def test_auto_falls_back_to_digits_and_says_so(
        self, digits: Dataset, offline: Any, closed_port: int, capsys: pytest.CaptureFixture[str]
    ) -> None:
        found = datasets.load("auto")
        assert found.name == "digits"
        assert_same(found, digits)
        assert found.sha256 == digits.sha256
        assert found.warning is not None
        assert "1,797 digits" in found.warning
        assert found.describe()["warning"] == found.warning
        streams = capsys.readouterr()
        assert streams.out == ""
        assert words(streams.err).startswith(f"WARNING: {found.warning}")
        assert f"127.0.0.1:{closed_port}" in words(streams.err)
        assert not offline.cache.parent.exists() or not list(offline.cache.parent.iterdir())

    def test_mnist_is_not_replaced_by_digits(
        self, offline: None, closed_port: int, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with pytest.raises(InputError, match="MNIST could not be downloaded") as caught:
            datasets.load("mnist")
        assert f"127.0.0.1:{closed_port}" in str(caught.value)
        assert "--data FOLDER" in str(caught.value)
        assert capsys.readouterr() == ("", "")

    @pytest.mark.parametrize("cache", ["cache", "keras"])
    @pytest.mark.parametrize("content", ["damaged", "other data"])
    def test_a_cache_that_is_not_mnist_is_left_aside(
        self,
        letters: Arrays,
        write_npz: Write,
        offline: Any,
        capsys: pytest.CaptureFixture[str],
        cache: str,
        content: str,
    ) -> None:
        file = write_npz(getattr(offline, cache), letters)
        if content == "damaged":
            file.write_bytes(file.read_bytes()[:-100])
        before = file.read_bytes()
        with pytest.raises(InputError, match="MNIST could not be downloaded"):
            datasets.load("mnist")
        assert words(capsys.readouterr().err).startswith("WARNING: ")
        assert file.read_bytes() == before
        assert list(file.parent.iterdir()) == [file]

    @pytest.mark.parametrize("folder", ["plain", "with [bold] brackets", "with [/] a slash"])
    def test_the_warning_names_the_file_letter_by_letter(
        self,
        tmp_path: Path,
        offline: None,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        folder: str,
    ) -> None:
        """So that a person can copy the name from a log, whatever it is and however long."""
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / folder))
        cache.mnist_file().parent.mkdir(parents=True)
        cache.mnist_file().write_bytes(b"damaged")
        with pytest.raises(InputError, match="MNIST could not be downloaded"):
            datasets.load("mnist")
        assert str(cache.mnist_file()) in capsys.readouterr().err

    def test_a_path_that_is_neither_file_nor_folder(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="no such file or folder; --data takes auto, mnist, digits or a path"):
            datasets.load(str(tmp_path / "nowhere"))
