from __future__ import annotations

import pickle

import numpy as np
import pytest
from mnist_edge_runtime import EngineError, Prediction
from mnist_edge_runtime.prediction import finite, softmax


@pytest.mark.parametrize("temperature", [0.5, 1, 2.5])
def test_softmax_is_that_of_64_bits_also_of_logits_whose_exponential_overflows(temperature: float) -> None:
    logits = np.array([[0, 1, 2], [-400, 300, 302], [7, 7, 7]], np.float32)
    exponentials = np.exp((logits.astype(np.float64) - logits.max(axis=1, keepdims=True)) / temperature)
    expected = exponentials / exponentials.sum(axis=1, keepdims=True)

    found = softmax(logits, np.float32(temperature))

    assert found.dtype == np.dtype(np.float32)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-30)
    np.testing.assert_array_equal(softmax(logits[1], np.float32(temperature)), found[1])


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_logits_that_are_no_numbers_are_an_error(wrong: float) -> None:
    logits = np.zeros((2, 3), np.float32)
    assert finite(logits) is logits

    logits[1, 2] = wrong
    with pytest.raises(EngineError, match="answers with NaN or infinity"):
        finite(logits)


def test_a_prediction_travels_between_processes() -> None:
    prediction = Prediction("7", 0.75, np.array([0.25, 0.75], np.float32), False, "its score is 0.750")
    copied = pickle.loads(pickle.dumps(prediction))

    np.testing.assert_array_equal(copied.probabilities, prediction.probabilities)
    assert copied._replace(probabilities=prediction.probabilities) == prediction
