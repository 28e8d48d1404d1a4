"""Search for the best recipe of a network."""

__all__ = ["run_study", "search_space", "study"]
