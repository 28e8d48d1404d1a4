"""What installs a bundle on a device; it travels inside the bundle and needs Python alone: no network, pip or root.

    PREFIX/versions/ID/   one version: a virtual environment with the runtime, its packages and the model
    PREFIX/current        leads to the version in use; its command is PREFIX/current/bin/mnist-edge-runtime
    PREFIX/previous       leads to the one before
    PREFIX/install.sh     for --rollback, when the bundle is gone

Exit codes: 0 installed, 2 usage, 3 it cannot be done here, 4 the bundle is damaged, 5 the self-test failed. With any
but 0 everything is as it was.
"""

from __future__ import annotations

__all__ = ["InstallError"]


class InstallError(Exception):
    """What ends an installation: a sentence, and the exit code."""

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
