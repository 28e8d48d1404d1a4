"""Put answers into the fields that they have in JSON, on the command line and from the service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .line_reader import Digit
    from .prediction import Prediction

__all__ = ["blank_fields", "line_text", "lines_fields", "prediction_fields"]


def prediction_fields(prediction: Prediction) -> dict[str, Any]:
    """Return the fields of a prediction."""
    return {
        "label": prediction.label,
        "confidence": prediction.confidence,
        "probabilities": prediction.probabilities.tolist(),
        "accepted": prediction.accepted,
        "reason": prediction.reason,
    }


def blank_fields(reason: str) -> dict[str, Any]:
    """Return the fields of a picture with nothing to read in it."""
    return {"label": None, "confidence": 0.0, "probabilities": None, "accepted": False, "reason": reason}


def lines_fields(lines: list[list[Digit]], reason: str | None = None) -> dict[str, Any]:
    """Return the fields of the lines of digits on a picture; the reason says why there are none."""
    return {
        "lines": [{"text": line_text(line), "digits": [*map(_digit_fields, line)]} for line in lines],
        "reason": reason,
    }


def line_text(line: list[Digit]) -> str:
    """Return the labels of a line of digits, one after the other."""
    return "".join(digit.prediction.label for digit in line)


def _digit_fields(digit: Digit) -> dict[str, Any]:
    return {
        "label": digit.prediction.label,
        "confidence": digit.prediction.confidence,
        "box": list(digit.box),
        "accepted": digit.prediction.accepted,
        "reason": digit.prediction.reason,
    }
