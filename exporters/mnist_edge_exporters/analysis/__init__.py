"""Measure where a quantized file loses accuracy, and how fast it is."""

__all__ = ["latency", "layer_drift"]
