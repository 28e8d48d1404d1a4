"""From a Keras model to the bytes of a format, one module each."""

__all__ = ["base", "calibration", "registry"]
