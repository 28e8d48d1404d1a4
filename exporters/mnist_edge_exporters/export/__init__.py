"""Convert, prove, seal, publish."""

__all__ = ["export", "selection", "table"]
