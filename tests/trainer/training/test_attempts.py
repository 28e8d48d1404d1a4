from __future__ import annotations

from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest
from mnist_edge_runtime.errors import VerificationError
from mnist_edge_trainer.data.datasets import Dataset, Split
from mnist_edge_trainer.data.parts import Part
from mnist_edge_trainer.networks.published import weights_file
from mnist_edge_trainer.training import attempts, output_layer
from mnist_edge_trainer.training.attempts import LEARNING_RATES, RECIPE, SHARES, fine_tune, measure, summed

Parts = tuple[Part, Part, Part]


@pytest.fixture
def parts(small: tuple[Dataset, Split]) -> Parts:
    """Own pictures, which are digits mirrored, images to replay, images to validate."""
    split = small[1]
    own = Part(split.train.images[:20, :, ::-1], split.train.labels[:20])
    return own, split.train, split.validation


@pytest.fixture
def model() -> Any:
    return output_layer.load(weights_file("pico"))


@pytest.mark.long
def test_own_pictures_are_learnt_and_weights_are_averaged_with_those_before(
    model: Any, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same seed gives the same weights, so that the second training differs by the average alone."""
    own, replay, validation = parts
    first, before, recipe = model.get_weights(), measure(model, own)["accuracy"], replace(RECIPE, epochs=2)
    (attempt,) = fine_tune(model, own, replay, validation, 0.0, recipe, seed=1)
    assert measure(model, own)["accuracy"] > before
    assert (attempt.learning_rate, attempt.share) == (LEARNING_RATES[0], 1)
    assert attempt.validation == measure(model, validation)
    assert {len(attempt.history[name]) for name in ("accuracy", "loss", "val_accuracy", "val_loss")} == {2}
    whole = model.get_weights()
    model.set_weights(first)
    monkeypatch.setattr(attempts, "SHARES", (0.5,))
    fine_tune(model, own, replay, validation, 0.0, recipe, seed=1)
    for one, other, average in zip(first, whole, model.get_weights(), strict=True):
        assert np.allclose(average, (one + other) / 2, atol=1e-6)


def test_a_lower_learning_rate_is_tried_and_at_last_nothing_is_kept(
    model: Any, parts: Parts, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, replay, validation = parts
    reached = iter([0.90, 0.91, 0.92, 0.95, 0.98, *[0.97] * 3, *[0.96] * 3, *[0.95] * 3])
    monkeypatch.setattr(attempts, "measure", lambda *_: {"accuracy": next(reached), "loss": 0.1})
    monkeypatch.setattr(attempts, "_fit", lambda *_: {})
    recipe = replace(RECIPE, epochs=1)
    tried = fine_tune(model, own, replay, validation, 0.975, recipe, seed=1)
    assert [(each.learning_rate, each.share) for each in tried] == [
        *((LEARNING_RATES[0], share) for share in SHARES),
        *((LEARNING_RATES[1], share) for share in SHARES[:2]),
    ]
    with pytest.raises(
        VerificationError,
        match=r"nothing is kept: at each of 3 learning rates \(0\.001, 0\.0003, 0\.0001\) .* "
        r"\(97\.00%, 96\.00%, 95\.00%; 97\.50% are needed\)",
    ):
        fine_tune(model, own, replay, validation, 0.975, recipe, seed=1)


@pytest.mark.long
def test_statistics_of_batch_normalization_stay(parts: Parts) -> None:
    layers = keras.layers
    model = keras.Sequential(
        [keras.Input((28, 28, 1)), layers.Flatten(), layers.BatchNormalization(), layers.Dense(10, "softmax")]
    )
    before = model.get_weights()
    fine_tune(model, *parts, 0.0, replace(RECIPE, epochs=1), seed=1)
    *normalization, kernel, _ = zip(before, model.get_weights(), strict=True)
    assert all((one == other).all() for one, other in normalization)
    assert (kernel[0] != kernel[1]).any()
    assert all(layer.trainable for layer in model.layers)


def test_a_class_that_a_network_does_not_know_is_read_wrongly(model: Any, parts: Parts) -> None:
    own = parts[0]
    assert measure(model, Part(own.images, np.full(20, 10)))["accuracy"] == 0


def test_figures_of_parts_are_summed(model: Any, parts: Parts) -> None:
    own, replay, _ = parts
    both = Part(np.concatenate([own.images, replay.images]), np.concatenate([own.labels, replay.labels]))
    expected = measure(model, both)
    found = summed([(measure(model, own), 20), (measure(model, replay), len(replay.labels))])
    assert found["accuracy"] == expected["accuracy"]
    assert found["loss"] == pytest.approx(expected["loss"], rel=1e-4)
