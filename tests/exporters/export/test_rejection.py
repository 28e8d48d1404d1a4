from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mnist_edge_exporters.export import rejection
from mnist_edge_exporters.parity.comparison import reference_probabilities
from mnist_edge_exporters.source import Source
from mnist_edge_runtime.model_file import sealed_model
from mnist_edge_runtime.prediction import softmax


def _answers(overconfidence: float, count: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Return probabilities that are `overconfidence` times too sure, and labels drawn by the honest ones."""
    random = np.random.default_rng(1)
    logits = random.normal(0, 3, (count, 10)).astype(np.float32)
    honest = softmax(logits)
    labels = np.array([random.choice(10, p=row / row.sum()) for row in honest.astype(np.float64)])
    return softmax(logits * np.float32(overconfidence)), labels


@pytest.mark.parametrize("overconfidence", [0.5, 1.0, 3.0])
def test_the_temperature_undoes_overconfidence(overconfidence: float) -> None:
    found = rejection.choose({"images": _answers(overconfidence)})
    assert found.temperature == pytest.approx(overconfidence, rel=0.1)


def test_the_threshold_lets_as_many_through_as_it_may() -> None:
    probabilities, labels = _answers(1.0)
    right = probabilities.argmax(axis=1) == labels
    found = rejection.choose({"images": (probabilities, labels)})
    logits = np.log(probabilities) / np.float32(found.temperature * found.softening)
    scores = softmax(logits).max(axis=1)
    assert found.threshold is not None
    accepted = scores >= found.threshold
    assert 0 < accepted.sum() < len(labels)
    assert (~right[accepted]).mean() <= 0.001
    more = scores >= np.sort(scores[~accepted])[-10]
    assert (~right[more]).mean() > 0.001


def test_of_each_set_few_accepted_answers_are_wrong() -> None:
    """The threshold that the second set needs is too high for the first: a mistake is among its few most certain."""
    few, many = _of_scores({0.99: 500, 0.9: 600}, wrong={0.99: 1}), _of_scores({0.95: 2000, 0.4: 10}, wrong={0.4: 10})
    alone = rejection.choose({"few": few}).threshold, rejection.choose({"many": many}).threshold
    both = rejection.choose({"few": few, "many": many})
    assert alone[0] is not None
    assert both.threshold is not None
    for probabilities, labels in (few, many):
        scores = softmax(np.log(probabilities) / np.float32(both.temperature * both.softening)).max(axis=1)
        wrong = (probabilities.argmax(axis=1) != labels)[scores >= both.threshold]
        assert len(wrong) >= 1000
        assert wrong.mean() <= 0.001
    assert both.chosen_on.startswith("1100 few and 2010 many: least log-loss; 100.00% and 99.50% of them accepted")


def _of_scores(counts: Mapping[float, int], wrong: Mapping[float, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return answers of two classes, so many of each probability, and labels of which so many are wrong."""
    first = np.repeat(np.array(list(counts), np.float32), list(counts.values()))
    labels = np.concatenate([np.arange(count) < wrong.get(score, 0) for score, count in counts.items()])
    probabilities = np.stack([np.maximum(first, 1 - first), np.minimum(first, 1 - first)], axis=1)
    return probabilities, labels.astype(np.int64)


def test_a_run_that_trained_on_handwriting_chooses_on_held_out_styles_too(source: Source) -> None:
    drawn = (source.test[0][:10], source.test[1][:10])
    assert list(source.held_out()) == ["validation images"]
    sets = replace(source, handwriting=lambda: drawn).held_out()
    assert list(sets) == ["validation images", "generated digits of held-out styles"]
    assert sets["generated digits of held-out styles"] is drawn


def test_without_a_right_answer_there_is_no_threshold() -> None:
    probabilities, _ = _answers(1.0, 50)
    found = rejection.choose({"images": (probabilities, (probabilities.argmax(axis=1) + 1) % 10)})
    assert found.threshold is None
    assert "accepted" not in found.chosen_on


def test_certain_answers_have_a_temperature_too() -> None:
    found = rejection.choose({"images": (np.eye(10, dtype=np.float32), np.arange(10))})
    assert 0 < found.temperature < np.inf
    assert found.threshold is not None


def test_every_file_of_a_run_has_the_same_threshold(files: Mapping[str, Path], source: Source) -> None:
    images, labels = source.validation
    chosen = rejection.choose({"validation images": (reference_probabilities(source.model, images), labels)})
    for file in files.values():
        output = sealed_model.read(file).contract.output
        assert (output.temperature, output.softening) == (chosen.temperature, chosen.softening)
        assert output.threshold == pytest.approx(chosen.threshold)
        assert output.chosen_on == chosen.chosen_on
