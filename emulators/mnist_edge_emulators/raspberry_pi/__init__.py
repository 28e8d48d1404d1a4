"""Run the runtime's real wheels for a Raspberry Pi under qemu, in a root folder made of Debian's packages."""

__all__ = ["command", "measure"]
