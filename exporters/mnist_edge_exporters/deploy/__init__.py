"""Install a bundle on many devices over the system's OpenSSH."""

__all__ = ["command"]
