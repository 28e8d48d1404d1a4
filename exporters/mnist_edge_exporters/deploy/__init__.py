"""A bundle onto many devices, over the system's OpenSSH."""

__all__ = ["command"]
