"""Emulate other machines on this one with qemu, from packages alone and without root rights."""

__all__ = ["board", "cache", "debian", "environment", "errors", "markdown", "microcontroller", "raspberry_pi", "x86"]
