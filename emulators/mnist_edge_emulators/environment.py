"""Check that the product is installed in this Python, before anything of it is imported."""

from __future__ import annotations

import sys
from importlib.util import find_spec

__all__ = ["require_product"]

_PACKAGES = ("mnist_edge_runtime", "mnist_edge_exporters")
_EXIT_CODE = 3  # bad input, as everywhere in the product


def require_product(program: str) -> None:
    """End the program with one sentence and exit code 3 where a package of the product is not installed."""
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        print(
            f"{program}: {missing[0]} is not installed in this Python ({sys.executable}); activate the environment "
            "that has it, or make one and run `make install` in it",
            file=sys.stderr,
        )
        raise SystemExit(_EXIT_CODE)
