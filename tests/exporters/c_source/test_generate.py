from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path

import numpy as np
import pytest
from mnist_edge_exporters.c_source import proof
from mnist_edge_exporters.c_source.generate import accepted, identifier
from mnist_edge_runtime import UsageError
from mnist_edge_runtime.acceptance import acceptance
from mnist_edge_runtime.model_file.contract import OutputSpec


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("classic", "classic"),
        ("my run-2", "my_run_2"),
        ("2024", "net_2024"),
        ("int", "net_int"),
        ("__x", "x"),
        ("ä", "network"),
        ("setup", "net_setup"),
    ],
)
def test_the_name_of_a_run_becomes_an_identifier(name: str, expected: str) -> None:
    assert identifier(name) == expected


@pytest.mark.parametrize("name", ["", "2x", "a-b", "while", "_x", "x y", "ä", "x;"])
def test_a_given_name_must_be_an_identifier(name: str) -> None:
    with pytest.raises(UsageError, match="expected a C identifier"):
        identifier(name, is_given=True)
    assert identifier("Digits_1", is_given=True) == "Digits_1"


LARGEST = """
#include <stdint.h>
#define NET_CLASSES {classes}
static inline int net_largest(const uint8_t *logits) {{
    int best = 0, i;
    for (i = 1; i < NET_CLASSES; i++) if (logits[i] > logits[best]) best = i;
    return best;
}}
"""


@pytest.mark.parametrize("classes", [2, 10, 5000])
@pytest.mark.parametrize("threshold", [None, 0.0, 1e-4, 1 / 3, 0.5, 0.9, 1.0])
def test_c_accepts_what_python_accepts(classes: int, threshold: float | None, tmp_path: Path) -> None:
    """Ties at the limit among them: equal logits, and all others without a weight; 5,000 weights overflow 32 bits."""
    random = np.random.default_rng(0)
    raw = random.integers(0, 256, (300, classes)).astype(np.uint8)
    raw[:100] = np.where(random.random((100, classes)) < 3 / classes, 255, 0)
    raw[100] = 7
    for index, scale in enumerate((0.01, 0.2, 8.0)):
        rule = acceptance(OutputSpec("uint8", scale, 130, 1.07, 5.0 if scale < 1 else 0.5, threshold))
        (tmp_path / "net.h").write_text(LARGEST.format(classes=classes))
        (tmp_path / "net_accepted.c").write_text(accepted("net", rule, "0")[0])
        library = tmp_path / f"{index}.so"
        options = ["-std=c99", "-O1", "-Wall", "-Wextra", "-Wno-unused-function", "-Werror", "-shared", "-fPIC"]
        subprocess.run([*proof.compiler(), *options, "-o", library, tmp_path / "net_accepted.c"], check=True)
        decide = ctypes.CDLL(str(library)).net_accepted
        found = [decide(row.ctypes.data_as(ctypes.c_void_p)) for row in raw]
        assert found == [int(rule is None or rule.accepts(row)) for row in raw]
