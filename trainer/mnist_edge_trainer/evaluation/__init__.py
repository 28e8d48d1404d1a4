"""Measure a model: accuracy, calibration, robustness."""

__all__ = ["corruptions", "evaluate", "results"]
