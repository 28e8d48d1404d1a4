"""Describe PCs whose processors compute otherwise than this machine's; they are emulated as the Raspberry Pis are."""

__all__ = ["processors"]
