"""Evaluate a model: accuracy, calibration, robustness, rejection."""

__all__ = ["corruptions", "evaluate", "out_of_distribution", "results"]
