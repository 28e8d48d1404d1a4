"""Evaluate a model: accuracy, calibration, robustness, rejection."""

__all__ = ["command", "corruptions", "evaluate", "out_of_distribution", "results", "side_by_side", "subject"]
