"""Save and load runs, the folders of trained networks."""

__all__ = ["locks", "plots", "replacement", "run", "unchanged"]
