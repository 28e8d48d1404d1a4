"""Convert, seal, prove and publish files."""

__all__ = ["export_all", "export_c", "export_web", "published_folder", "selection"]
