"""Pack everything that one device needs into one file, which installs itself without a network."""

__all__ = ["apt", "archive", "build", "command", "manifest", "systems"]
