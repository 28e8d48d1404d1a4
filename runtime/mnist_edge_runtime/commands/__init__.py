"""The commands of the device's command line, one module each."""

__all__ = ["benchmark", "classify", "common", "doctor", "read"]
