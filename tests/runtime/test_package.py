from __future__ import annotations

import subprocess
import sys

import mnist_edge_runtime
import pytest

LATE = """
import sys
import mnist_edge_runtime
assert "mnist_edge_runtime.images" not in sys.modules
print(mnist_edge_runtime.images.to_mnist.__module__)
"""


def test_every_public_name_is_there() -> None:
    assert all(hasattr(mnist_edge_runtime, name) for name in mnist_edge_runtime.__all__)


def test_another_name_is_not() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'pictures_of_cats'"):
        getattr(mnist_edge_runtime, "pictures_of_cats")  # noqa: B009


def test_images_are_imported_when_they_are_asked_for() -> None:
    result = subprocess.run([sys.executable, "-c", LATE], capture_output=True, text=True, check=False)

    assert (result.stdout, result.stderr) == ("mnist_edge_runtime.images\n", "")
