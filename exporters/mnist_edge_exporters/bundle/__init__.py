"""Everything one device needs, in one file that installs itself without a network."""

__all__ = ["apt", "archive", "build", "command", "manifest", "systems"]
