from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mnist_edge_runtime.errors import UsageError
from mnist_edge_runtime.host import cache_folder
from mnist_edge_trainer.data.datasets import Dataset, Split
from mnist_edge_trainer.handwriting import generator, pool
from mnist_edge_trainer.handwriting.generator import Written, generate
from mnist_edge_trainer.networks.config import TrainConfig

COUNT = 60


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cached pool of `COUNT` digits, in a cache of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    pool.for_training.cache_clear()
    return cache_folder() / f"handwriting-{generator.VERSION}-{COUNT}-0.npz"


def test_it_is_drawn_once(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = pool.load(COUNT)
    assert f"drawing {COUNT} handwritten digits, once, for {file}" in capsys.readouterr().err
    written = file.stat().st_mtime_ns
    second = pool.load(COUNT)
    assert (capsys.readouterr().err, file.stat().st_mtime_ns) == ("", written)
    np.testing.assert_array_equal(first.images, second.images)
    assert first.sha256 == second.sha256
    assert [each.name for each in file.parent.iterdir()] == [file.name], "nothing unfinished"


def test_its_images_are_the_generators(file: Path) -> None:
    found = pool.load(COUNT)
    assert (found.images.dtype, found.images.shape, found.labels.dtype) == (np.uint8, (COUNT, 28, 28), np.int64)
    for number in (0, 37, 59):
        np.testing.assert_array_equal(found.images[number], generate(0, number).image)
        assert found.labels[number] == number % 10


def test_held_out_styles_are_another_pool(file: Path) -> None:
    held_out, other_seed = pool.load(30, held_out=True), pool.load(30, seed=5)
    np.testing.assert_array_equal(held_out.images[4], generate(0, 4, held_out=True).image)
    np.testing.assert_array_equal(other_seed.images[4], generate(5, 4).image)
    assert len(list(file.parent.iterdir())) == 2


def test_thresholds_are_chosen_on_held_out_styles_under_the_names_of_the_classes(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "HELD_OUT", 20)
    labels = tuple("9876543210")
    images, indices = pool.held_out(labels)
    np.testing.assert_array_equal(images[13], generate(0, 13, held_out=True).image)
    assert [labels[index] for index in indices] == list("01234567890123456789")


def test_a_damaged_file_is_drawn_again(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.parent.mkdir()
    for content in (b"", b"no archive"):
        file.write_bytes(content)
        assert len(pool.load(COUNT).images) == COUNT
        assert f"{file} is ignored: damaged" in capsys.readouterr().err


def test_a_pool_of_another_preprocessing_is_drawn_again(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = pool.load(COUNT)

    def darker(*of: Any, **options: Any) -> Written:
        made = generate(*of, **options)
        return replace(made, image=made.image // 2)

    monkeypatch.setattr(pool, "generate", darker)
    after = pool.load(COUNT)
    np.testing.assert_array_equal(after.images, before.images // 2)
    assert "prepared by another version" in capsys.readouterr().err
    assert after.sha256 != before.sha256


def test_a_cache_that_cannot_be_written_is_no_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert len(pool.load(10).images) == 10
    assert "cannot be written (Not a directory): the next run draws again" in capsys.readouterr().err


def test_labels_become_those_of_the_data(file: Path) -> None:
    named = pool.for_training(20, ("a", *"9876543210"))
    np.testing.assert_array_equal(named.labels, 10 - np.arange(20) % 10)
    assert named.describe() == {"version": generator.VERSION, "images": 20, "sha256": named.sha256}


def test_it_is_no_larger_than_needed(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "LARGEST", 30)
    assert [len(pool.for_training(count, tuple("0123456789")).images) for count in (20, 55_000)] == [20, 30]


def test_other_classes_are_refused() -> None:
    with pytest.raises(UsageError, match="--handwriting draws the digits 0 to 9, and the data has no class '0'"):
        pool.for_training(100, tuple("abc"))


@pytest.mark.long
def test_a_network_without_it_reads_the_held_out_styles_worse(small: tuple[Dataset, Split], tmp_path: Path) -> None:
    """With as many steps of training, and the same seed."""
    from mnist_edge_trainer.training.fit import fit

    held_out = pool.load(400, held_out=True)

    def accuracy(share: float, epochs: int) -> float:
        folder = tmp_path / str(share)
        folder.mkdir()
        parts: dict[str, Any] = {"epochs": epochs, "batch_size": 25, "handwriting": share, "ema": 0.0}
        fitted = fit(TrainConfig("nano", parts=parts), small[1], small[0].labels, folder)
        return float(fitted.measure(held_out.images, held_out.labels)["accuracy"])

    assert accuracy(0.5, 16) > accuracy(0, 32) + 0.1
