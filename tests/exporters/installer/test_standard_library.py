"""The installer runs with Python alone: no other package, not even the one that it lies in."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest
from mnist_edge_exporters.bundle import archive

MODULES = sorted(Path(str(files("mnist_edge_exporters.installer"))).glob("*.py"))


def test_every_module_is_imported_without_anything_else(tmp_path: Path) -> None:
    (tmp_path / "installer").mkdir()
    for module in MODULES:
        (tmp_path / "installer" / module.name).write_bytes(module.read_bytes())
    imports = "; ".join(f"import installer.{module.stem}" for module in MODULES if module.stem != "__init__")
    script = f"import sys; sys.path.insert(0, sys.argv[1]); {imports}"
    subprocess.run([sys.executable, "-I", "-S", "-B", "-c", script, tmp_path], check=True)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_an_old_python_can_read_it(module: Path) -> None:
    ast.parse(module.read_text(), feature_version=(3, 8))


def test_every_module_is_in_every_bundle() -> None:
    expected = {f"installer/{module.name}" for module in MODULES} | {
        "install.sh",
        "mnist-edge-serve.service",
        "mnist-edge.service",
    }
    assert archive.scripts().keys() == expected
