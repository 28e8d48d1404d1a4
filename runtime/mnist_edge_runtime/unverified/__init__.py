"""Run model files without a contract, in a process of their own with limits on memory and time."""

__all__ = ["classifier"]
