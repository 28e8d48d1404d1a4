"""Convert, seal, prove and publish files."""

__all__ = ["export_all", "selection"]
