"""Run a network exported as C on emulated microcontrollers, and measure what it needs there."""

__all__ = ["command", "figures", "page"]
