"""Implement the commands of the device's command line, one module each."""

__all__ = ["benchmark", "classify", "doctor", "inspect", "label", "read", "selftest", "serve", "watch"]
