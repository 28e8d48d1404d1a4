from __future__ import annotations

from math import comb
from typing import Any

import numpy as np
import pytest
from mnist_edge_exporters.parity.comparison import SMALL_TEST_SET, compare, reference_probabilities
from mnist_edge_exporters.parity.tolerance import TOLERANCES
from mnist_edge_exporters.spec import Quantization
from mnist_edge_runtime import ModelError
from mnist_edge_trainer.data.datasets import Dataset
from numpy.typing import NDArray

LARGE, SMALL = 10_000, 300
FLOAT, INT8 = TOLERANCES[Quantization.NONE], TOLERANCES[Quantization.INT8]


def _case(count: int, *, lost: int = 0, won: int = 0) -> tuple[NDArray[np.float32], ...]:
    """Return probabilities, logits and labels of which `lost` answers got worse and `won` better, all close calls."""
    labels = np.arange(count) % 10
    rows, runner_up = np.arange(count), (labels + 1) % 10
    reference = np.full((count, 10), 0.01, np.float32)
    reference[rows, labels], reference[rows, runner_up] = 0.47, 0.45
    exported = reference.copy()
    for changed, first in ((exported[:lost], 0), (reference[count - won :], count - won)):
        places = rows[: len(changed)], labels[first : first + len(changed)], runner_up[first : first + len(changed)]
        changed[places[0], places[1]], changed[places[0], places[2]] = 0.45, 0.47
    return reference, np.log(exported), labels


def test_equal_answers_pass_with_exact_figures() -> None:
    report = compare(*_case(LARGE), FLOAT)
    assert report.passed
    assert (report.accuracy, report.reference_accuracy, report.agreement, report.changed) == (1, 1, 1, 0)
    assert (report.non_finite, report.mcnemar_p, report.changed_predictions) == (0, 1, ())
    assert report.max_abs_difference == pytest.approx(0, abs=1e-6)
    assert report.accuracy_interval[0] < 1 == report.accuracy_interval[1]


@pytest.mark.parametrize(
    ("lost", "won", "failures"),
    [(0, 0, 0), (25, 25, 0), (30, 0, 0), (0, 30, 0), (31, 0, 1), (0, 31, 1), (26, 25, 1), (51, 0, 2)],
)
def test_int8_on_a_large_test_set_is_judged_by_shares(lost: int, won: int, failures: int) -> None:
    report = compare(*_case(LARGE, lost=lost, won=won), INT8)
    assert report.changed == lost + won
    assert len(report.failures) == failures


@pytest.mark.parametrize(
    ("lost", "won", "failures"), [(3, 3, 0), (5, 0, 0), (6, 0, 1), (0, 6, 1), (4, 3, 1), (9, 0, 2)]
)
def test_int8_on_a_small_test_set_is_judged_by_counts(lost: int, won: int, failures: int) -> None:
    assert SMALL < SMALL_TEST_SET
    assert len(compare(*_case(SMALL, lost=lost, won=won), INT8).failures) == failures


@pytest.mark.parametrize("count", [SMALL, LARGE])
def test_one_changed_answer_fails_a_float_file(count: int) -> None:
    assert not compare(*_case(count, lost=1), FLOAT).passed


@pytest.mark.parametrize(
    ("figure", "failure"), [("agreement=0.99", "answers are the same"), ("accuracy-loss=0.01", "accuracy differs")]
)
def test_a_share_that_a_person_names_judges_a_small_test_set_too(figure: str, failure: str) -> None:
    case = _case(SMALL, lost=5)
    assert compare(*case, INT8).passed
    report = compare(*case, INT8.replaced([figure]))
    assert any(failure in sentence for sentence in report.failures)


def test_the_report_holds_the_limits() -> None:
    report = compare(*_case(LARGE), INT8.replaced(["sqnr-db=3"]))
    assert report.to_dict()["tolerance"] == {
        "agreement": 0.995,
        "accuracy_loss": 0.003,
        "probability_difference": 1.0,
        "sqnr_db": 3.0,
    }


def test_mcnemar_is_the_exact_binomial_test() -> None:
    lost, won = 9, 2
    both_tails = 2 * sum(comb(lost + won, k) for k in range(won + 1)) / 2 ** (lost + won)
    assert compare(*_case(LARGE, lost=lost, won=won), INT8).mcnemar_p == pytest.approx(both_tails)


def test_a_probability_out_of_tolerance_fails_a_float_file() -> None:
    reference, exported, labels = _case(LARGE)
    reference[7, 3] += 2e-4
    report = compare(reference, exported, labels, FLOAT)
    assert report.max_abs_difference == pytest.approx(2e-4, rel=1e-2)
    assert len(report.failures) == 1
    assert "probability differs" in report.failures[0]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("tolerance", [FLOAT, INT8])
def test_one_value_that_is_not_finite_is_a_failure(bad: float, tolerance: Any) -> None:
    reference, exported, labels = _case(LARGE)
    exported[5, 5] = bad
    report = compare(reference, exported, labels, tolerance)
    assert report.non_finite == 10
    assert report.max_abs_difference is None
    assert "NaN or infinite" in report.failures[0]


@pytest.mark.parametrize(("scale", "passes"), [(1.0, True), (1.03, True), (1.2, False), (0.8, False), (2.0, False)])
def test_an_output_of_a_wrong_scale_fails_though_every_answer_is_the_same(scale: float, passes: bool) -> None:
    reference, exported, labels = _case(LARGE)
    report = compare(reference, exported * np.float32(scale), labels, INT8)
    assert report.agreement == 1
    assert report.passed == passes
    assert passes or "is the output's scale right?" in report.failures[0]


def test_a_reference_that_shows_no_logits_proves_nothing() -> None:
    labels = np.arange(LARGE) % 2
    logits = np.where(np.arange(2) == labels[:, np.newaxis], 200, -200).astype(np.float32)
    reference = (logits > 0).astype(np.float32)
    report = compare(reference, logits * 10, labels, INT8)
    assert report.compared_logits == 0
    assert report.failures == (
        "the reference's probabilities are all exactly 0 or 1, so the output's scale cannot be judged",
    )


def test_the_reference_scales_the_pixels_itself(own_network: Any, digits: Dataset) -> None:
    pixels = digits.test_images.astype(np.float32)[..., np.newaxis] / np.float32(255)
    expected = own_network.predict(pixels, verbose=0)
    np.testing.assert_allclose(reference_probabilities(own_network, digits.test_images), expected, atol=1e-6)


def test_probabilities_that_no_final_softmax_made_are_taken_as_they_are(own_network: Any, digits: Dataset) -> None:
    import keras

    averaged = keras.layers.Average()([own_network.output, own_network.output])
    found = reference_probabilities(keras.Model(own_network.input, averaged), digits.test_images[:20])
    expected = reference_probabilities(own_network, digits.test_images[:20])
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_a_reference_with_nan_is_refused(digits: Dataset) -> None:
    import keras

    model = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10)])
    model.set_weights([np.full((784, 10), np.nan), np.zeros(10)])
    with pytest.raises(ModelError, match="NaN or infinity"):
        reference_probabilities(model, digits.test_images[:2])
