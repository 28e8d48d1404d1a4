"""Search for hyper-parameters."""

__all__ = ["results", "search_space", "storage", "study", "tune"]
