from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal, localcontext
from pathlib import Path

import numpy as np
import pytest
from mnist_edge_runtime import Classifier
from mnist_edge_runtime import acceptance as acceptance_module
from mnist_edge_runtime.acceptance import ONE, Acceptance, acceptance
from mnist_edge_runtime.model_file.contract import OutputSpec
from numpy.typing import NDArray

OUTPUT = OutputSpec("uint8", 0.125, 130, temperature=1.5, softening=5.0, threshold=0.4)


def _rule(output: OutputSpec) -> Acceptance:
    rule = acceptance(output)
    assert rule
    return rule


def test_weights_are_exponentials_of_the_steps() -> None:
    rule = _rule(OUTPUT)
    assert [rule.weights[steps] for steps in (0, 1, 2, 100, 255)] == [1048576, 1031245, 1014200, 198050, 14957]
    assert len(rule.weights) == 256
    assert rule.limit == 2621439, "0.4 as a double is a little more than 2 / 5"


def test_weights_are_the_exact_values_rounded(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    outputs = [
        replace(OUTPUT, scale=float(np.float32(math.exp(random.uniform(-7, 0)))), temperature=random.uniform(0.1, 10))
        for _ in range(20)
    ]
    found = [_rule(output).weights for output in outputs]
    for output, weights in zip(outputs, found, strict=True):
        with localcontext() as context:
            context.prec = 100
            step = Decimal(output.scale) / (Decimal(output.temperature) * Decimal(output.softening))
            assert weights == tuple(round(ONE * (-step * steps).exp()) for steps in range(256))
    monkeypatch.setattr(acceptance_module, "_UNCERTAIN", 1.0)  # all are computed with many digits
    assert [_rule(output).weights for output in outputs] == found


@pytest.mark.parametrize(("equal", "threshold"), [(2, 0.5), (3, 1 / 3), (4, 0.25), (1, 1.0)])
def test_an_answer_at_the_limit_is_accepted(equal: int, threshold: float) -> None:
    """Logits that are equal share the softmax; the others are so far below that they have no weight."""
    raw = np.array([[200] * equal + [0] * 3], np.uint8)
    output = replace(OUTPUT, scale=8.0, temperature=1.0, softening=1.0, threshold=threshold)
    rule = _rule(output)
    assert rule.limit == ONE * equal
    assert rule.accepts(raw[0])
    assert rule.accepts_each(raw * np.float32(8)).all()
    if threshold < 1:
        higher = _rule(replace(output, threshold=math.nextafter(threshold, 1)))
        assert higher.limit == ONE * equal - 1
        assert not higher.accepts(raw[0])
        assert not higher.accepts_each(raw * np.float32(8)).any()


@pytest.mark.parametrize("dtype", ["uint8", "int8"])
def test_raw_and_real_logits_give_the_same(dtype: str) -> None:
    output = replace(OUTPUT, dtype=dtype, scale=0.15314379334449768, zero_point=7)
    rule, info = _rule(output), np.iinfo(dtype)
    random = np.random.default_rng(0)
    raw = random.integers(info.min, info.max + 1, (5000, 10)).astype(dtype)
    raw[:, 0] = info.max
    logits = (raw.astype(np.float32) - np.float32(7)) * np.float32(output.scale)
    each = rule.accepts_each(logits)
    assert [rule.accepts(row) for row in raw] == each.tolist()
    exponentials = np.exp((logits - logits.max(axis=1, keepdims=True)).astype(np.float64) / 7.5)
    scores = 1 / exponentials.sum(axis=1)
    is_clear = np.abs(scores - 0.4) > 1e-5
    assert 100 < each.sum() < 4900
    assert is_clear.mean() > 0.99
    np.testing.assert_array_equal(each[is_clear], scores[is_clear] >= 0.4)


def test_a_threshold_of_0_accepts_all_and_a_float_output_has_no_rule() -> None:
    assert _rule(replace(OUTPUT, threshold=0.0)).accepts(np.zeros(4000, np.uint8))
    assert acceptance(replace(OUTPUT, threshold=None)) is None
    assert acceptance(OutputSpec("float32", 1.0, 0, threshold=0.5)) is None


def test_a_classifier_decides_one_image_as_many(int8_file: Path, reseal: Callable[..., Path]) -> None:
    random = np.random.default_rng(0)
    images: NDArray[np.uint8] = random.integers(0, 256, (200, 28, 28), np.uint8)
    with Classifier.load(int8_file) as classifier:
        middle = float(np.median(classifier.scores(classifier.logits(images))))
    changed = reseal(int8_file, contract=lambda old: replace(old, output=replace(old.output, threshold=middle)))
    with Classifier.load(changed) as classifier, Classifier.load(changed, accept_all=True) as generous:
        each = classifier.accepts(classifier.logits(images))
        assert [classifier.classify(image).accepted for image in images] == each.tolist()
        assert 0 < each.sum() < 200
        assert generous.accepts(generous.logits(images)).all()
