"""The integer network: an int8 file as a value with one meaning, evaluated to the bit."""

__all__ = ["evaluate", "network", "rounding", "tflite_reader", "tflm_formulas"]
