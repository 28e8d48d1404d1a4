from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from mnist_edge_runtime.errors import InputError, VerificationError
from mnist_edge_trainer.data import datasets
from mnist_edge_trainer.demo import synthetic_digits
from mnist_edge_trainer.handwriting import pool
from mnist_edge_trainer.handwriting.pool import Pool
from mnist_edge_trainer.networks.published import weights_file
from mnist_edge_trainer.runs import run
from mnist_edge_trainer.runs.run import Run
from mnist_edge_trainer.runs.unchanged import sha256_of
from mnist_edge_trainer.training import attempts
from mnist_edge_trainer.training.fine_tuning import fine_tune_run, summary
from PIL import Image, ImageDraw

SHORT = replace(attempts.RECIPE, epochs=1)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five pictures of a 7 and of a 1, and ten ticks."""
    folder = tmp_path_factory.mktemp("hand") / "own"
    for digit in "17":
        (folder / digit).mkdir(parents=True)
        for number in range(5):
            Image.fromarray(synthetic_digits.draw(digit, tilt=2.0 * number)).save(folder / digit / f"{number}.png")
    (folder / "tick").mkdir()
    for number in range(10):
        picture = Image.new("L", (80, 80), 250)
        line = [(12 + number, 40), (30, 62 - number), (68, 12 + number)]
        ImageDraw.Draw(picture).line(line, fill=20, width=6)
        picture.save(folder / "tick" / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def tuned(own: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The smallest published network, which replays generated handwriting, too; here that is blank."""
    drawn = Pool(np.zeros((20, 28, 28), np.uint8), np.arange(20, dtype=np.int64) % 10)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pool, "load", lambda count: drawn)
        patch.setattr(attempts, "MOST_LOST", 0.1)  # of 200 validation images
        return fine_tune_run("pico", own, "digits", None, tmp_path_factory.mktemp("tuned") / "runs", 0, recipe=SHORT)


def test_a_run_is_written_that_reads_the_new_class(tuned: Run) -> None:
    record = json.loads((tuned.folder / "run.json").read_text())
    assert (tuned.name, record["architecture"], record["labels"]) == ("pico-own", "pico", [*"0123456789", "tick"])
    assert record["from"] == {"kind": "published", "name": "pico", "sha256": sha256_of(weights_file("pico"))}
    assert record["handwriting"]["images"] == 20
    own = record["dataset"]["own"]
    assert (own["per_class"], own["held_out"]) == ({"1": 5, "7": 5, "tick": 10}, 4)
    tuning = record["fine_tuning"]
    assert tuning["after"]["own"]["accuracy"] > tuning["before"]["own"]["accuracy"]
    assert tuning["test_images"] == 300
    assert record["dataset"]["test"] == 304
    assert keras.models.load_model(tuned.model_file).output_shape == (None, 11)


def test_its_data_is_found_again_with_the_own_pictures(tuned: Run) -> None:
    found = run.load(tuned.folder.parent, tuned.name).dataset()
    assert found.sha256 == tuned.record["dataset"]["sha256"]
    assert found.labels[-1] == "tick"


def test_it_is_told_what_came_of_it(tuned: Run) -> None:
    lines = summary(tuned).splitlines()
    assert lines[0].startswith(f"{tuned.folder}: pico (pico, ")
    assert lines[0].endswith("fine-tuned on 16 own pictures and digits")
    own, validation, test = lines[2:5]
    assert own.split()[:4] == ["own", "pictures", "held", "out"]
    assert own.endswith("of 4")
    assert validation.endswith("of 200")
    assert test.endswith("of 300")


@pytest.mark.long
def test_a_fine_tuned_run_is_fine_tuned_again_or_nothing_is_kept(
    tuned: Run, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same folder again: the pictures keep their roles, and the class is no longer new."""
    runs_dir = tuned.folder.parent
    monkeypatch.setattr(pool, "load", lambda count: Pool(np.zeros((10, 28, 28), np.uint8), np.arange(10)))
    monkeypatch.setattr(attempts, "LEARNING_RATES", attempts.LEARNING_RATES[:1])
    monkeypatch.setattr(attempts, "MOST_LOST", -1.0)  # no network gains so much
    before = sorted(runs_dir.iterdir())
    with pytest.raises(VerificationError, match=r"nothing is kept: .* lies under its right label; more pictures help"):
        fine_tune_run(tuned.name, own, "auto", "again", runs_dir, 0, recipe=SHORT)
    assert sorted(runs_dir.iterdir()) == before
    monkeypatch.setattr(attempts, "MOST_LOST", 1.0)
    again = fine_tune_run(tuned.name, own, "auto", "again", runs_dir, 0, recipe=SHORT)
    assert again.record["dataset"] == tuned.record["dataset"]
    assert again.record["fine_tuning"]["before"]["own"] == tuned.record["fine_tuning"]["after"]["own"]


def test_other_classes_than_those_of_the_data_are_refused(tuned: Run, own: Path, tmp_path: Path) -> None:
    """Of a file with other outputs, and of a run with other labels."""
    image = keras.Input((28, 28, 1))
    output = keras.layers.Dense(7, "softmax")(keras.layers.Flatten()(image))
    keras.Model(image, output).save(tmp_path / "seven.keras")
    with pytest.raises(InputError, match=r"seven\.keras: has 7 classes, the data 10; name its own with --data"):
        fine_tune_run(str(tmp_path / "seven.keras"), own, "digits", None, tmp_path / "runs", 0)
    letters = tmp_path / "letters"
    for name in "ab":
        (letters / name).mkdir(parents=True)
        for number in range(4):
            synthetic = synthetic_digits.draw("1" if name == "a" else "7", tilt=float(number))
            Image.fromarray(synthetic).save(letters / name / f"{number}.png")
    with pytest.raises(
        InputError, match=r"letters: its classes are a, b, those of pico-own 0, 1, .*; name the data of that"
    ):
        fine_tune_run(tuned.name, own, str(letters), "other", tuned.folder.parent, 0)
    assert not (tmp_path / "runs").exists()


def test_a_published_network_must_not_unlearn_mnist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing else, where MNIST cannot be had."""

    def missing(choice: str) -> None:
        raise InputError(f"{choice}: cannot be downloaded")

    monkeypatch.setattr(datasets, "load", missing)
    with pytest.raises(InputError, match=r"^mnist: cannot be downloaded"):
        fine_tune_run("pico", tmp_path, "auto", None, tmp_path / "runs", 0)
