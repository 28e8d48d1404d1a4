from __future__ import annotations

import subprocess
import sys

import mnist_edge_runtime
import pytest

PUBLIC = [
    "BlankError",
    "Classifier",
    "Contract",
    "Digit",
    "EngineError",
    "InputError",
    "MnistEdgeError",
    "ModelError",
    "Prediction",
    "UsageError",
    "VerificationError",
    "__version__",
    "load_picture",
    "read_lines",
    "to_mnist",
]
LATE = """
import sys
import mnist_edge_runtime
print(sorted(name for name in sys.modules if name.startswith("mnist_edge_runtime.")), "numpy" in sys.modules)
print(mnist_edge_runtime.to_mnist.__module__)
"""


def test_the_public_names_are_these_and_all_can_be_had() -> None:
    assert sorted(mnist_edge_runtime.__all__) == PUBLIC
    assert dir(mnist_edge_runtime) == mnist_edge_runtime.__all__
    assert {getattr(mnist_edge_runtime, name).__name__ for name in PUBLIC if name != "__version__"} == {
        name for name in PUBLIC if name != "__version__"
    }


def test_another_name_is_not_there() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'pictures_of_cats'"):
        getattr(mnist_edge_runtime, "pictures_of_cats")  # noqa: B009


def test_a_name_is_imported_when_it_is_first_used() -> None:
    result = subprocess.run([sys.executable, "-c", LATE], capture_output=True, text=True, check=False)

    assert (result.stdout, result.stderr) == ("[] False\nmnist_edge_runtime.preprocessing.mnist\n", "")
