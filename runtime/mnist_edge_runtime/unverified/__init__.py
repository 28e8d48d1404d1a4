"""Run model files without a contract, in a process of their own."""

__all__ = ["classifier"]
