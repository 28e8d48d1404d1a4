from __future__ import annotations

import json

import numpy as np
from mnist_edge_runtime import Prediction
from mnist_edge_runtime.answer_fields import blank_fields, line_text, lines_fields, prediction_fields
from mnist_edge_runtime.line_reader import Digit

SURE = Prediction("7", 0.75, np.array([0.25, 0.75], np.float32), True, None)
UNSURE = Prediction("1", 0.5, np.array([0.5, 0.5], np.float32), False, "its score is 0.500, accepted from 0.900")


def test_an_answer_and_a_blank_picture_have_the_same_fields() -> None:
    fields = prediction_fields(SURE)
    assert json.loads(json.dumps(fields)) == {
        "label": "7",
        "confidence": 0.75,
        "probabilities": [0.25, 0.75],
        "accepted": True,
        "reason": None,
    }
    assert list(blank_fields("no ink")) == list(fields)
    assert blank_fields("no ink")["reason"] == "no ink"


def test_lines_have_their_text_and_each_digit() -> None:
    line = [Digit((1, 2, 3, 4), SURE), Digit((5, 6, 7, 8), UNSURE)]
    assert line_text(line) == "71"
    (fields,) = lines_fields([line])["lines"]
    assert fields["text"] == "71"
    first, second = fields["digits"]
    assert first == {"label": "7", "confidence": 0.75, "box": [1, 2, 3, 4], "accepted": True, "reason": None}
    assert second["reason"] == UNSURE.reason
    assert lines_fields([], "no ink") == {"lines": [], "reason": "no ink"}
