from __future__ import annotations

import csv
import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from mnist_edge_runtime.confidence_interval import wilson
from mnist_edge_runtime.errors import InputError, UsageError
from mnist_edge_trainer.data import datasets
from mnist_edge_trainer.data.datasets import Dataset, Split
from mnist_edge_trainer.data.idx import Arrays
from mnist_edge_trainer.handwriting import pool
from mnist_edge_trainer.handwriting.generator import generate
from mnist_edge_trainer.runs import run
from mnist_edge_trainer.runs.run import Run, TrainedRun
from PIL import Image

PICTURES = ("confusion_matrix.png", "learning_curves.png", "sample_predictions.png")


def names(folder: Path) -> list[str]:
    """Return everything in the folder, hidden or not."""
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def save(trained: TrainedRun, small: tuple[Dataset, Split], runs: Path) -> Callable[..., Run]:
    """Save the small training, or another, into `runs`."""

    def save(name: str = "classic", trained: TrainedRun = trained, **options: Any) -> Run:
        return run.save(trained, small[0], runs, name, **options)

    return save


@pytest.fixture(scope="module")
def kept(trained: TrainedRun, small: tuple[Dataset, Split], tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The small training, saved once; for tests that only look."""
    return run.save(trained, small[0], tmp_path_factory.mktemp("kept") / "new" / "runs", "classic")


@pytest.fixture
def copy(kept: Run, runs: Path) -> Run:
    """A copy of that run which a test may spoil."""
    shutil.copytree(kept.folder.parent, runs)
    return Run(runs / kept.name, kept.record)


class TestSaved:
    def test_the_folder_holds_what_it_should_and_nothing_else(self, kept: Run) -> None:
        assert names(kept.folder) == sorted(["history.csv", "model.keras", "run.json", *PICTURES])
        assert names(kept.folder.parent) == ["classic", "latest"]
        assert (kept.folder.parent / "latest").read_text() == "classic\n"

    def test_handwriting_that_no_training_saw(self, kept: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        assert kept.unseen_handwriting is None, "trained without"
        monkeypatch.setattr(pool, "HELD_OUT", 10)
        drawn = dataclasses.replace(kept, record={**kept.record, "handwriting": {"version": 2}}).unseen_handwriting
        assert drawn is not None
        images, labels = drawn()
        np.testing.assert_array_equal(images[7], generate(0, 7, held_out=True).image)
        assert labels.tolist() == list(range(10))

    def test_it_is_found_again(self, kept: Run, trained: TrainedRun) -> None:
        for found in (run.load(kept.folder.parent), run.load(kept.folder.parent, "classic")):
            assert found == kept
            assert found.record == trained.record
            assert found.name == "classic"
            assert found.model_file == kept.folder / "model.keras"
            assert found.exports == kept.folder / "exports"

    def test_the_model_answers_as_before(self, kept: Run, trained: TrainedRun, small: tuple[Dataset, Split]) -> None:
        pixels = small[0].test_images[..., np.newaxis] / np.float32(255)
        again = keras.models.load_model(kept.model_file)
        np.testing.assert_array_equal(again(pixels).numpy(), trained.model(pixels).numpy())

    def test_the_history_has_a_row_an_epoch(self, kept: Run, trained: TrainedRun) -> None:
        with open(kept.folder / "history.csv", newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert [row.pop("epoch") for row in rows] == ["1", "2"]
        for number, row in enumerate(rows):
            assert {key: float(value) for key, value in row.items()} == {
                key: values[number] for key, values in trained.history.items()
            }

    def test_the_record_is_json_that_a_person_can_read(self, kept: Run) -> None:
        text = (kept.folder / "run.json").read_text(encoding="utf-8")
        assert json.loads(text) == kept.record
        assert len(text.splitlines()) > 20

    @pytest.mark.parametrize("name", PICTURES)
    def test_pictures_are_pictures(self, kept: Run, name: str) -> None:
        with Image.open(kept.folder / name) as picture:
            assert picture.format == "PNG"
            assert all(400 <= side <= 2000 for side in picture.size)
            assert len(np.unique(np.asarray(picture))) > 10


class TestDescription:
    def test_the_origin_says_where_a_model_came_from_and_nothing_of_this_machine(self, kept: Run) -> None:
        origin = kept.origin
        for key in ("architecture", "parameters", "macs", "seed", "split"):
            assert origin.pop(key) == kept.record[key]
        assert origin.pop("dataset") == {k: v for k, v in kept.record["dataset"].items() if k != "source"}
        assert origin == {}
        assert "source" in kept.record["dataset"]

    def test_the_summary_has_the_figures_a_person_asks_for(self, kept: Run) -> None:
        summary = kept.summary()
        expected = [
            str(kept.folder),
            "classic",
            "110,474 parameters",
            "3,106,176 multiply-accumulates (MACs)",
            "trained on digits",
        ]
        for part, images in (("train", 300), ("validation", 200), ("test", 100)):
            figures = kept.record["metrics"][part]
            low, high = figures["accuracy_interval"]
            assert (low, high) == pytest.approx(wilson(round(figures["accuracy"] * images), images))
            heading = f"{part} images".ljust(19)
            expected += [f"{heading}{figures['accuracy']:.2%} (95%: {low * 100:.2f} to {high * 100:.2f}) of {images}"]
        expected += ["WARNING: only 100 test images"]
        assert [text for text in expected if text not in summary] == []
        assert summary.count("WARNING") == 1

    def test_the_summary_passes_on_a_warning_about_the_data(self, kept: Run) -> None:
        dataset = {**kept.record["dataset"], "warning": "only a demonstration"}
        warned = Run(kept.folder, {**kept.record, "dataset": dataset})
        assert "WARNING: only a demonstration" in warned.summary()


class TestNames:
    @pytest.mark.long
    def test_a_taken_name_gets_a_number(self, copy: Run, save: Callable[..., Run], runs: Path) -> None:
        """And the run that had it is not touched."""
        before = {path.name: path.read_bytes() for path in copy.folder.iterdir()}
        assert [save().name for _ in range(2)] == ["classic-2", "classic-3"]
        assert names(runs) == ["classic", "classic-2", "classic-3", "latest"]
        assert run.load(runs).name == "classic-3"
        assert {path.name: path.read_bytes() for path in copy.folder.iterdir()} == before

    @pytest.mark.long
    def test_overwriting_replaces_the_run_and_its_exports(
        self, copy: Run, trained: TrainedRun, save: Callable[..., Run], runs: Path
    ) -> None:
        copy.exports.mkdir()
        (copy.exports / "classic-tflite-int8.tflite").write_bytes(b"of the run before")
        new = dataclasses.replace(trained, record={**trained.record, "seed": 99})
        assert save(trained=new, overwrite=True).name == "classic"
        assert run.load(runs).record["seed"] == 99
        assert not copy.exports.exists()
        assert names(runs) == ["classic", "latest"]

    def test_overwriting_needs_nothing_to_overwrite(self, save: Callable[..., Run], runs: Path) -> None:
        assert save(overwrite=True).name == "classic"
        assert names(runs) == ["classic", "latest"]

    @pytest.mark.parametrize(
        "name",
        [
            "",
            ".",
            "..",
            ".hidden",
            "-x",
            "a/b",
            "../x",
            "a\\b",
            "a b",
            "a\n",
            "n\0l",
            "drei-äpfel",
            "latest",
            "studies",
            "x" * 101,
        ],
    )
    def test_a_bad_name_is_refused_before_anything_is_written(
        self, save: Callable[..., Run], runs: Path, name: str
    ) -> None:
        with pytest.raises(UsageError, match="cannot name a run"):
            run.check_name(name)
        with pytest.raises(UsageError, match="cannot name a run"):
            save(name)
        assert not runs.exists()

    @pytest.mark.parametrize("name", ["classic", "a", "7", "v1.2_final-3", "latest-2", "x" * 100])
    def test_a_good_name_passes(self, kept: Run, runs: Path, name: str) -> None:
        run.check_name(name)
        shutil.copytree(kept.folder, runs / name)
        assert run.load(runs, name).name == name


class TestNotFound:
    @pytest.mark.parametrize("made", [True, False], ids=["empty folder", "no folder"])
    def test_no_run_at_all(self, runs: Path, made: bool) -> None:
        if made:
            runs.mkdir()
        with pytest.raises(InputError, match="mnist-edge train"):
            run.load(runs)
        with pytest.raises(InputError, match="no run 'classic'; none is there yet; make one with"):
            run.load(runs, "classic")

    @pytest.mark.parametrize("name", ["clasic", "latest", "nowhere/classic"])
    def test_the_known_runs_are_listed(self, copy: Run, runs: Path, name: str) -> None:
        shutil.copytree(copy.folder, runs / "better")
        (runs / "no-run").mkdir()
        with pytest.raises(InputError, match=rf"no run '{name}'; there are better, classic$"):
            run.load(runs, name)

    def test_the_newest_was_removed(self, copy: Run, runs: Path) -> None:
        shutil.copytree(copy.folder, runs / "better")
        shutil.rmtree(copy.folder)
        with pytest.raises(InputError, match=r"no run 'classic'; there are better$"):
            run.load(runs)

    @pytest.mark.parametrize("missing", ["run.json", "model.keras"])
    def test_a_folder_that_lacks_a_part_is_no_run(self, copy: Run, runs: Path, missing: str) -> None:
        (copy.folder / missing).unlink()
        with pytest.raises(InputError, match="no run 'classic'"):
            run.load(runs)

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"{",
            b"[]",
            b"null",
            b"\xff\xfe",
            b'{"labels": []}',
            b'{"dataset": {}, "labels": []}',
            b'{"dataset": "digits", "labels": []}',
            b'{"dataset": {"name": "digits"}}',
            b'{"dataset": {"name": "digits"}, "labels": []}',
            b'{"dataset": {"name": "digits", "sha256": "0"}, "labels": []}',
        ],
        ids=[
            "empty",
            "cut short",
            "list",
            "null",
            "no text",
            "no data set",
            "no name of the data set",
            "data set is text",
            "no labels",
            "no hash of the data set",
            "nothing about the network",
        ],
    )
    def test_a_damaged_record_is_named(self, copy: Run, runs: Path, content: bytes) -> None:
        (copy.folder / "run.json").write_bytes(content)
        with pytest.raises(InputError) as caught:
            run.load(runs).dataset()
        assert str(copy.folder / "run.json") in str(caught.value)


class TestDataset:
    def recorded(self, dataset: Dataset, folder: Path, **changes: Any) -> Run:
        return Run(folder / "own", {"dataset": {**dataset.describe(), "source": dataset.source, **changes}})

    def test_digits_are_found_again(self, tmp_path: Path, digits: Dataset, offline: None) -> None:
        assert self.recorded(digits, tmp_path).dataset().sha256 == digits.sha256

    def test_digits_that_stood_in_for_mnist_are_found_again(
        self, tmp_path: Path, digits: Dataset, offline: None, capsys: pytest.CaptureFixture[str]
    ) -> None:
        fallback = datasets.load("auto")
        capsys.readouterr()
        assert self.recorded(fallback, tmp_path).dataset().sha256 == digits.sha256
        assert capsys.readouterr().err == ""

    def test_a_folder_of_ones_own_is_found_again(
        self, tmp_path: Path, letters: Arrays, write_folder: Callable[[Path, Arrays], Path], offline: None
    ) -> None:
        own = datasets.load(str(write_folder(tmp_path / "letters", letters)))
        assert self.recorded(own, tmp_path).dataset().sha256 == own.sha256

    def test_a_folder_that_moved_can_be_named(
        self, tmp_path: Path, letters: Arrays, write_folder: Callable[[Path, Arrays], Path], offline: None
    ) -> None:
        own = datasets.load(str(write_folder(tmp_path / "letters", letters)))
        (tmp_path / "letters").rename(tmp_path / "moved")
        found = self.recorded(own, tmp_path).dataset(str(tmp_path / "moved"))
        assert found.sha256 == own.sha256

    def test_a_folder_that_is_gone_is_named_and_not_sought_elsewhere(
        self,
        tmp_path: Path,
        letters: Arrays,
        write_folder: Callable[[Path, Arrays], Path],
        offline: None,
        serve: Callable[..., Any],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Data of one's own are on no mirror."""
        mirror = serve({})
        monkeypatch.setenv("MNIST_EDGE_MIRRORS", f"{mirror.url}mnist.npz")
        own = datasets.load(str(write_folder(tmp_path / "letters", letters)))
        shutil.rmtree(tmp_path / "letters")
        with pytest.raises(InputError, match="--data") as caught:
            self.recorded(own, tmp_path).dataset()
        assert str(tmp_path / "letters") in str(caught.value)
        assert mirror.requests == []

    def test_mnist_from_the_network_is_found_in_a_cache(self, tmp_path: Path, mnist_npz: Path, offline: Any) -> None:
        offline.cache.parent.mkdir(parents=True)
        offline.cache.symlink_to(mnist_npz)
        mnist = datasets.load("mnist")
        trained = self.recorded(mnist, tmp_path, source="https://mirror.example/mnist.npz")
        assert trained.dataset().sha256 == mnist.sha256

    def test_other_data_is_refused(
        self, tmp_path: Path, digits: Dataset, letters: Arrays, write_folder: Callable[[Path, Arrays], Path]
    ) -> None:
        other = write_folder(tmp_path / "letters", letters)
        with pytest.raises(InputError, match="other data than run 'own' was trained on") as caught:
            self.recorded(digits, tmp_path).dataset(str(other))
        assert str(other) in str(caught.value)
        assert "digits" in str(caught.value)

    def test_data_that_changed_in_its_place_is_refused(
        self, tmp_path: Path, letters: Arrays, write_folder: Callable[[Path, Arrays], Path]
    ) -> None:
        own = datasets.load(str(write_folder(tmp_path / "letters", letters)))
        changed = letters.test_images.copy()
        changed[0, 0, 0] ^= 1
        write_folder(tmp_path / "letters", letters._replace(test_images=changed))
        with pytest.raises(InputError, match="other data than run 'own' was trained on"):
            self.recorded(own, tmp_path).dataset()


class TestFailure:
    """A save that fails half-way leaves things as they were."""

    @pytest.fixture(params=["record", "pictures"])
    def unsavable(self, request: pytest.FixtureRequest, trained: TrainedRun) -> TrainedRun:
        """A training whose record cannot be written, or whose learning curves cannot be drawn."""
        if request.param == "record":
            return dataclasses.replace(trained, record={**trained.record, "labels": object()})
        return dataclasses.replace(trained, history={"loss": [1.0, 0.5], "accuracy": [0.5, 0.7]})

    def test_nothing_is_left(self, save: Callable[..., Run], runs: Path, unsavable: TrainedRun) -> None:
        with pytest.raises((TypeError, KeyError)):
            save(trained=unsavable)
        assert names(runs) == []

    @pytest.mark.parametrize("overwrite", [True, False])
    def test_what_was_there_stays(
        self, copy: Run, save: Callable[..., Run], runs: Path, unsavable: TrainedRun, overwrite: bool
    ) -> None:
        copy.exports.mkdir()
        with pytest.raises((TypeError, KeyError)):
            save(trained=unsavable, overwrite=overwrite)
        assert names(runs) == ["classic", "latest"]
        assert run.load(runs) == copy
        assert copy.exports.exists()

    def test_a_full_disk_leaves_nothing(self, save: Callable[..., Run], runs: Path) -> None:
        """The limit on a file's size stands for the disk: the model does not fit."""
        resource = pytest.importorskip("resource")
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
        try:
            with pytest.raises(OSError, match="File too large"):
                save()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert names(runs) == []

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
    def test_a_folder_that_may_not_be_written(self, save: Callable[..., Run], runs: Path) -> None:
        runs.mkdir(mode=0o500)
        with pytest.raises(PermissionError):
            save()
        assert names(runs) == []

    @pytest.mark.long
    def test_the_pointer_cannot_be_written(self, save: Callable[..., Run], runs: Path) -> None:
        (runs / "latest" / "in the way").mkdir(parents=True)
        with pytest.raises(OSError, match="latest"):
            save()
        assert not [name for name in names(runs) if name.startswith(".")]


KILLED_WHILE_SAVING = """
import json, os, signal, sys
from pathlib import Path
import numpy as np
from mnist_edge_trainer.data import datasets
from mnist_edge_trainer.runs import run

class Model:
    def save(self, file):
        Path(file).write_bytes(b"half of it")

    def predict(self, pixels, **options):
        os.kill(os.getpid(), signal.SIGKILL)

record = {"dataset": {"name": "digits"}, "labels": [], "seed": 99}
history = {key: [0.5] for key in ("loss", "accuracy", "val_loss", "val_accuracy")}
trained = run.TrainedRun(Model(), history, record)
run.save(trained, datasets.load("digits"), Path(sys.argv[1]), "classic", overwrite=True)
"""


def kill_while_saving(runs: Path) -> int:
    """Kill a process while it saves over the run "classic", and return its number."""
    with subprocess.Popen([sys.executable, "-c", KILLED_WHILE_SAVING, str(runs)]) as process:
        assert process.wait(60) == -signal.SIGKILL
    return process.pid


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """What a killed process left where there was nothing before, and its number."""
    folder = tmp_path_factory.mktemp("killed") / "runs"
    return folder, kill_while_saving(folder)


@pytest.mark.long
class TestKilled:
    """A process that is killed leaves no run that looks finished, and nothing that is in the next one's way."""

    @pytest.fixture
    def killed(self, left: tuple[Path, int], runs: Path) -> int:
        shutil.copytree(left[0], runs)
        return left[1]

    def test_there_is_no_run(self, killed: int, runs: Path) -> None:
        with pytest.raises(InputError, match="no run yet"):
            run.load(runs)
        with pytest.raises(InputError, match="none is there"):
            run.load(runs, "classic")

    def test_its_leavings_are_no_run(self, killed: int, runs: Path) -> None:
        for name in names(runs):
            with pytest.raises(InputError, match="no run"):
                run.load(runs, name)

    def test_the_next_run_is_saved_even_by_a_process_of_the_same_number(
        self, killed: int, save: Callable[..., Run], runs: Path
    ) -> None:
        """In a container every training has the same number."""
        for path in list(runs.iterdir()):
            path.rename(runs / path.name.replace(str(killed), str(os.getpid())))
        assert save() == run.load(runs)

    def test_the_run_before_is_whole(self, copy: Run, runs: Path) -> None:
        copy.exports.mkdir()
        kill_while_saving(runs)
        assert run.load(runs) == copy
        assert names(copy.folder) == sorted(["exports", "history.csv", "model.keras", "run.json", *PICTURES])
        with pytest.raises(InputError, match=r"there are classic$"):
            run.load(runs, "other")

    def test_a_training_leaves_what_resumes_it_and_nothing_else(self, runs: Path) -> None:
        command = [sys.executable, "-m", "mnist_edge.cli", "train", "--data", "digits", "--epochs", "200"]
        with subprocess.Popen(
            [*command, "--runs-dir", str(runs)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stderr
            try:
                first = next((line for line in process.stderr if line.startswith("epoch ")), "")
            finally:
                process.kill()
            assert first.startswith("epoch 1/200 ")
            assert process.wait(30) == -signal.SIGKILL
        working, lock = names(runs)
        assert lock == ".classic~training"  # a file that nobody has locked any more
        assert working.startswith(".classic.")
        assert set(names(runs / working)) <= {"checkpoint.npz"}
        with pytest.raises(InputError, match="no run yet"):
            run.load(runs)
