"""Save and load runs, the folders of trained networks."""

__all__ = ["exports", "locks", "plots", "replacement", "run", "unchanged"]
