from __future__ import annotations

from math import inf, log

import numpy as np
import pytest
from mnist_edge_exporters.parity import metrics


def test_divergence_of_known_distributions() -> None:
    p, q = np.array([[0.5, 0.5]], np.float32), np.array([[0.25, 0.75]], np.float32)
    assert metrics.kl_divergence(p, q) == pytest.approx(0.5 * log(2) + 0.5 * log(2 / 3))
    assert metrics.kl_divergence(p, p) == 0


def test_sqnr_of_known_noise() -> None:
    signal = np.full((4, 5), 10.0, np.float32)
    assert metrics.sqnr_db(signal, signal + np.float32(0.1)) == pytest.approx(40, abs=1e-3)
    assert metrics.sqnr_db(signal, signal) == inf
    assert metrics.sqnr_db(signal * 0, signal) == -inf


def test_steps_are_counted_against_the_references_logits() -> None:
    scale = 0.25
    logits = np.array([[8.0, 2.0, 0.0], [1.0, 7.0, 3.0]])
    reference = (np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)).astype(np.float32)
    off = (logits + scale * np.array([[0, 2, -1], [5, 0, 40]])).astype(np.float32)
    counts = metrics.lsb_histogram(*metrics.comparable_logits(reference, off), scale)
    assert {steps: count for steps, count in counts.items() if count} == {"1": 1, "2": 1, "5": 1, "more": 1}


def test_a_constant_added_to_all_logits_of_an_image_changes_nothing() -> None:
    logits = np.array([[8.0, 2.0, 0.0], [1.0, 7.0, 3.0]], np.float32)
    reference = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected, found = metrics.comparable_logits(reference, logits + np.float32(3))
    assert expected.tolist() == pytest.approx([-6, -8, -6, -4], abs=1e-5)
    assert found.tolist() == pytest.approx(expected.tolist(), abs=1e-5)


def test_what_float32_has_no_digits_for_is_left_out() -> None:
    reference = np.array([[1.0, 1e-20, 0.0]], np.float32)
    expected, found = metrics.comparable_logits(reference, np.array([[90.0, 44.0, -200.0]], np.float32))
    assert expected.tolist() == pytest.approx([log(1e-20)])
    assert found.tolist() == [-46]


def test_changed_predictions_have_both_answers_the_largest_margin_first() -> None:
    reference = np.array([[0.6, 0.4], [0.1, 0.9], [0.3, 0.7]], np.float32)
    found = np.array([[0.4, 0.6], [0.2, 0.8], [0.9, 0.1]], np.float32)
    listed = metrics.changed_predictions(reference, found, np.array([0, 1, 0]))
    assert [(each["image"], each["true"], each["reference"], each["answer"]) for each in listed] == [
        (2, 0, 1, 0),
        (0, 0, 0, 1),
    ]
    assert listed[0]["margin"] == pytest.approx(0.4)
