from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import importlib.metadata
import json
import math
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers
from mnist_edge_runtime.errors import UsageError
from mnist_edge_trainer.data import datasets
from mnist_edge_trainer.data.datasets import Dataset, Split
from mnist_edge_trainer.networks.architectures import ARCHITECTURES, Architecture
from mnist_edge_trainer.networks.config import TrainConfig
from mnist_edge_trainer.networks.recipe import Recipe, augmented
from mnist_edge_trainer.runs.run import Run, TrainedRun
from mnist_edge_trainer.training import fit

CONFIG = TrainConfig(parts={"epochs": 2, "batch_size": 50}, seed=3)


def digest(model: Any) -> str:
    return hashlib.sha256(b"".join(weights.tobytes() for weights in model.get_weights())).hexdigest()


class TestSeed:
    @pytest.mark.long
    def test_the_same_seed_gives_the_same_weights(self, small: tuple[Dataset, Split], trained: TrainedRun) -> None:
        """And a warning about the data goes into the record and nowhere else."""
        dataset, split = dataclasses.replace(small[0], warning="made for a test"), small[1]
        again = fit.train(CONFIG, dataset, split)
        assert digest(again.model) == digest(trained.model)
        assert again.history == trained.history
        assert again.record["dataset"] == {**trained.record["dataset"], "warning": "made for a test"}
        changing = {"seconds": None, "dataset": None}
        assert {**again.record, **changing} == {**trained.record, **changing}

    @pytest.mark.long
    def test_another_seed_gives_other_weights(self, small: tuple[Dataset, Split], trained: TrainedRun) -> None:
        other = fit.train(dataclasses.replace(CONFIG, seed=4), *small)
        assert digest(other.model) != digest(trained.model)

    @pytest.mark.long
    def test_another_process_gives_the_same_weights(self, trained: TrainedRun) -> None:
        code = """
import dataclasses, hashlib
from mnist_edge_trainer.data import datasets
from mnist_edge_trainer.networks.config import TrainConfig
from mnist_edge_trainer.training import fit
digits = datasets.load("digits")
few = dataclasses.replace(digits, train_images=digits.train_images[:500], train_labels=digits.train_labels[:500],
                          test_images=digits.test_images[:100], test_labels=digits.test_labels[:100])
model = fit.train(TrainConfig(parts={"epochs": 2, "batch_size": 50}, seed=3), few, datasets.split(few)).model
print(hashlib.sha256(b"".join(weights.tobytes() for weights in model.get_weights())).hexdigest())
"""
        done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True, timeout=120)
        assert done.stdout == digest(trained.model) + "\n"


class TestRecord:
    def test_it_says_what_was_trained(self, trained: TrainedRun, small: tuple[Dataset, Split]) -> None:
        dataset, split = small
        record = trained.record
        assert record["architecture"] == "classic"
        assert record["parameters"] == 110_474
        assert record["macs"] == 3_106_176
        assert record["labels"] == list("0123456789")
        assert record["seed"] == 3
        expected = augmented("light", Recipe(epochs=2, batch_size=50, learning_rate=1e-3))  # classic's, for small data
        assert record["recipe"] == dataclasses.asdict(expected)
        assert record["teachers"] == []
        assert record["dataset"] == {**dataset.describe(), "source": "scikit-learn"}
        assert record["split"] == {"seed": datasets.SPLIT_SEED, "train": 300, "validation": 200, "sha256": split.sha256}
        assert record["seconds"] > 0

    def test_it_says_with_what(self, trained: TrainedRun) -> None:
        versions = trained.record["versions"]
        assert versions["python"] == ".".join(str(part) for part in sys.version_info[:3])
        assert versions["keras"] == keras.__version__
        assert versions["numpy"] == np.__version__
        for name in ("mnist-edge", "tensorflow", "scikit-learn"):
            assert versions[name] == importlib.metadata.version(name)

    def test_it_is_json(self, trained: TrainedRun) -> None:
        assert json.loads(json.dumps(trained.record, allow_nan=False)) == trained.record

    @pytest.mark.parametrize("part", ["train", "validation", "test"])
    def test_its_figures_are_those_of_the_model(
        self, trained: TrainedRun, small: tuple[Dataset, Split], part: str
    ) -> None:
        dataset, split = small
        images, labels = (dataset.test_images, dataset.test_labels) if part == "test" else getattr(split, part)
        probabilities = trained.model(images[..., np.newaxis].astype(np.float32) / np.float32(255)).numpy()
        figures = trained.record["metrics"][part]
        assert figures["accuracy"] == pytest.approx((probabilities.argmax(axis=1) == labels).mean(), abs=1e-6)
        loss = -np.log(probabilities[np.arange(len(labels)), labels]).mean()
        assert figures["loss"] == pytest.approx(loss, rel=1e-3)


def test_the_history_has_every_epoch(trained: TrainedRun) -> None:
    assert set(trained.history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert {len(values) for values in trained.history.values()} == {2}
    assert all(math.isfinite(value) for values in trained.history.values() for value in values)
    assert trained.history["val_accuracy"][-1] == pytest.approx(trained.record["metrics"]["validation"]["accuracy"])


@pytest.mark.long
def test_one_line_an_epoch_on_stderr_and_nothing_on_stdout(
    small: tuple[Dataset, Split], capfd: pytest.CaptureFixture[str]
) -> None:
    trained = fit.train(TrainConfig(parts={"epochs": 2, "batch_size": 150}), *small)
    streams = capfd.readouterr()
    assert streams.out == ""
    lines = [line for line in streams.err.splitlines() if line.startswith("epoch ")]
    assert [line.split()[1] for line in lines] == ["1/2", "2/2"]
    for number, line in enumerate(lines):
        loss, accuracy, validation_loss, validation_accuracy = re.findall(r"(?:loss|accuracy) ([\d.]+)", line)
        assert float(loss) == pytest.approx(trained.history["loss"][number], abs=1e-4)
        assert float(accuracy) == pytest.approx(100 * trained.history["accuracy"][number], abs=0.01)
        assert float(validation_loss) == pytest.approx(trained.history["val_loss"][number], abs=1e-4)
        assert float(validation_accuracy) == pytest.approx(100 * trained.history["val_accuracy"][number], abs=0.01)


@pytest.mark.long
def test_the_number_of_classes_comes_from_the_data(small: tuple[Dataset, Split]) -> None:
    """Odd or even: two classes, whose names are not their numbers."""
    dataset, split = small
    halves = dataclasses.replace(dataset, labels=("7", "12"), test_labels=dataset.test_labels % 2)
    train, validation = (part._replace(labels=part.labels % 2) for part in (split.train, split.validation))
    parted = dataclasses.replace(split, train=train, validation=validation)
    trained = fit.train(TrainConfig(parts={"epochs": 1}), halves, parted)
    assert trained.model.output_shape == (None, 2)
    assert trained.record["labels"] == ["7", "12"]
    assert trained.record["parameters"] == 109_442


@pytest.mark.long
def test_a_learning_rate_may_be_a_whole_number(small: tuple[Dataset, Split]) -> None:
    config = TrainConfig(parts={"epochs": 1, "learning_rate": 1})
    assert fit.train(config, *small).record["recipe"]["learning_rate"] == 1


@pytest.mark.long
@pytest.mark.parametrize(("batch_size", "steps", "per_call"), [(15, 20, 10), (16, 19, 1)])
def test_an_epoch_takes_its_own_batches_however_many_go_in_one_call(
    small: tuple[Dataset, Split], batch_size: int, steps: int, per_call: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And TensorFlow traces the step once, which takes seconds."""
    traced, step = [], keras.Model.train_step

    def counted(model: Any, data: Any) -> Any:
        traced.append(model)
        return step(model, data)

    monkeypatch.setattr(keras.Model, "train_step", counted)
    model = fit.train(TrainConfig(parts={"epochs": 2, "batch_size": batch_size}), *small).model
    assert traced == [model]
    assert model.steps_per_execution == per_call
    assert int(model.optimizer.iterations) == 2 * steps


def _overflowing(classes: int, dropout: float) -> Any:
    """Build a network whose first sums are beyond float32, which no allowed learning rate does to `classic`."""
    huge = keras.initializers.Constant(3e38)
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Flatten(),
            layers.Dense(8, kernel_initializer=huge),
            layers.Dense(classes, activation="softmax"),
        ]
    )


def _rooted(classes: int, dropout: float) -> Any:
    """Build a network whose first sums are finite, but whose first step makes every weight NaN."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Flatten(),
            layers.Dense(8, kernel_initializer="zeros", activation=keras.ops.sqrt),
            layers.Dense(classes, activation="softmax"),
        ]
    )


@pytest.fixture(params=[(_overflowing, 50), (_rooted, 300)], ids=["in the first step", "after the last step"])
def blown_up(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> TrainConfig:
    """A configuration whose weights become NaN or infinite in its only epoch."""
    build, batch_size = request.param
    recipe = Recipe(epochs=1, batch_size=batch_size, learning_rate=0.25)
    monkeypatch.setitem(ARCHITECTURES, "blown up", Architecture(build, recipe, recipe))
    return TrainConfig("blown up")


def test_a_loss_that_is_no_number_is_the_persons_error(small: tuple[Dataset, Split], blown_up: TrainConfig) -> None:
    with pytest.raises(UsageError, match=r"--learning-rate below 0\.25"):
        fit.train(blown_up, *small)


def test_a_training_that_fails_prints_nothing_on_stdout_either(
    small: tuple[Dataset, Split], blown_up: TrainConfig, capfd: pytest.CaptureFixture[str]
) -> None:
    with contextlib.suppress(UsageError):
        fit.train(blown_up, *small)
    assert capfd.readouterr().out == ""


def test_the_default_training_reads_well(run: Run) -> None:
    """On a fifth of MNIST where it is given, on digits else."""
    assert run.record["metrics"]["test"]["accuracy"] > 0.94
    assert run.record["metrics"]["validation"]["accuracy"] > 0.95


@pytest.mark.long
def test_the_classic_project_reads_98_percent_of_mnist(mnist_folder: Path) -> None:
    dataset = datasets.load(str(mnist_folder))
    figures = fit.train(TrainConfig(), dataset, datasets.split(dataset)).record["metrics"]
    assert figures["test"]["accuracy"] > 0.98
    assert figures["validation"]["accuracy"] > 0.98


@pytest.mark.long
def test_a_warm_up_leaves_a_step_to_decay(small: tuple[Dataset, Split]) -> None:
    parts = {"epochs": 1, "batch_size": 300, "warmup": 0.9}
    record = fit.train(TrainConfig("pico", augment="none", parts=parts), *small).record
    assert record["recipe"]["warmup"] == 0.9
