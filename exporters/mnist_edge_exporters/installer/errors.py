"""Define the error that ends an installation."""

from __future__ import annotations

__all__ = ["InstallError"]


class InstallError(Exception):
    """An installation ends with a sentence and an exit code: 2 usage, 3 cannot be done, 4 damaged, 5 self-test."""

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
