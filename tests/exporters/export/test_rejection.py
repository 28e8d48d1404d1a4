from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from mnist_edge_exporters.export import rejection
from mnist_edge_exporters.parity.comparison import reference_probabilities
from mnist_edge_exporters.source import Source
from mnist_edge_runtime.classifier import softmax
from mnist_edge_runtime.model_file import sealed_model


def _answers(overconfidence: float, count: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities that are `overconfidence` times too sure, and labels drawn by the honest ones."""
    random = np.random.default_rng(1)
    logits = random.normal(0, 3, (count, 10)).astype(np.float32)
    honest = softmax(logits)
    labels = np.array([random.choice(10, p=row / row.sum()) for row in honest.astype(np.float64)])
    return softmax(logits * np.float32(overconfidence)), labels


@pytest.mark.parametrize("overconfidence", [0.5, 1.0, 3.0])
def test_the_temperature_undoes_overconfidence(overconfidence: float) -> None:
    found = rejection.choose(*_answers(overconfidence))
    assert found.temperature == pytest.approx(overconfidence, rel=0.1)


def test_the_threshold_lets_as_many_through_as_it_may() -> None:
    probabilities, labels = _answers(1.0)
    right = probabilities.argmax(axis=1) == labels
    found = rejection.choose(probabilities, labels)
    logits = np.log(probabilities) / np.float32(found.temperature * found.softening)
    scores = softmax(logits).max(axis=1)
    assert found.threshold is not None
    accepted = scores >= found.threshold
    assert 0 < accepted.sum() < len(labels)
    assert (~right[accepted]).mean() <= 0.001
    more = scores >= np.sort(scores[~accepted])[-10]
    assert (~right[more]).mean() > 0.001


def test_without_a_right_answer_there_is_no_threshold() -> None:
    probabilities, _ = _answers(1.0, 50)
    found = rejection.choose(probabilities, (probabilities.argmax(axis=1) + 1) % 10)
    assert found.threshold is None
    assert "accepted" not in found.chosen_on


def test_certain_answers_have_a_temperature_too() -> None:
    found = rejection.choose(np.eye(10, dtype=np.float32), np.arange(10))
    assert 0 < found.temperature < np.inf
    assert found.threshold is not None


def test_every_file_of_a_run_has_the_same_threshold(files: Mapping[str, Path], source: Source) -> None:
    images, labels = source.validation
    chosen = rejection.choose(reference_probabilities(source.model, images), labels)
    for file in files.values():
        output = sealed_model.read(file).contract.output
        assert (output.temperature, output.softening) == (chosen.temperature, chosen.softening)
        assert output.threshold == pytest.approx(chosen.threshold)
        assert output.chosen_on == chosen.chosen_on
