"""Convert a Keras model to the bytes of a format: one module and one row of the table each."""

__all__ = ["base", "calibration", "registry", "worker"]
