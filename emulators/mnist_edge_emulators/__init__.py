"""Other machines, emulated on this one with qemu, from packages alone and without root rights."""

__all__ = ["raspberry_pi"]
