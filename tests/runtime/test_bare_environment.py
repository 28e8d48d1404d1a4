"""The runtime where nothing is installed but numpy and one engine.

A folder with links to just those packages is the only place that an isolated interpreter may import from.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mnist_edge_runtime.engines import registry
from PIL import Image

# numpy's own libraries lie beside it; neither engine needs more than itself.
NUMPY = ("numpy", "numpy.libs")
SERVICE = {"starlette", "uvicorn", "h11", "prometheus_client", "segno"}  # of the extra "serve"
FOREIGN = ("tensorflow", "keras", "typer", "PIL", "onnx", "pydantic", "rich", "scipy", "sklearn")

START = """
import json, sys
sys.path.insert(0, sys.argv.pop(1))
from mnist_edge_runtime.__main__ import main
code = main(sys.argv[1:])
print(json.dumps(sorted(name for name in sys.modules if "." not in name)), file=sys.stderr)
sys.exit(code)
"""
IMPORT_ALL = """
import importlib, json, pkgutil, sys
sys.path.insert(0, sys.argv[1])
import mnist_edge_runtime
names = [found.name for found in pkgutil.walk_packages(mnist_edge_runtime.__path__, "mnist_edge_runtime.")]
lacking = {}
for name in names:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        lacking[name] = error.name.split(".")[0]
modules = sorted(name for name in sys.modules if "." not in name)
print(json.dumps({"names": names, "lacking": lacking, "modules": modules}))
"""


@dataclass(frozen=True)
class Device:
    """An environment in a folder."""

    folder: Path

    def python(self, code: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run code without site-packages, without the environment's variables, away from any checkout."""
        return subprocess.run(
            [sys.executable, "-I", "-S", "-B", "-c", code, self.folder, *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            cwd=self.folder.parent,
        )

    def run(self, *arguments: str | Path) -> tuple[int, str, list[str], list[str]]:
        """Return exit code, stdout, the lines of stderr and the modules that were imported."""
        result = self.python(START, *arguments)
        *errors, modules = result.stderr.splitlines()
        return result.returncode, result.stdout, errors, json.loads(modules)


@pytest.fixture
def bare(tmp_path: Path) -> Callable[..., Device]:
    """Return the function that makes an environment with numpy, the runtime and the packages named."""

    def bare(*packages: str) -> Device:
        folder = tmp_path / "site"
        folder.mkdir()
        for name in (*NUMPY, "mnist_edge_runtime", *packages):
            source = _place("numpy").with_name(name) if name == "numpy.libs" else _place(name)
            if source.exists():
                os.symlink(source, folder / name)
        return Device(folder)

    return bare


def _place(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        pytest.skip(f"{package} is not installed")
    return Path(next(iter(spec.submodule_search_locations)))


def _foreign(modules: list[str]) -> set[str]:
    return set(FOREIGN) & set(modules)


def test_the_whole_runtime_is_imported_with_numpy_alone(bare: Callable[..., Device]) -> None:
    result = bare().python(IMPORT_ALL)
    assert (result.returncode, result.stderr) == (0, "")
    found = json.loads(result.stdout)

    assert "mnist_edge_runtime.__main__" in found["names"]
    assert len(found["names"]) >= 22
    assert [name for name in found["lacking"] if not name.startswith("mnist_edge_runtime.service.")] == []
    assert set(found["lacking"].values()) <= SERVICE
    assert _foreign(found["modules"]) == set()


ENGINES = [
    pytest.param("litert", "ai_edge_litert", "tflite", id="litert"),
    pytest.param(
        "tflite-runtime",
        "tflite_runtime",
        "tflite",
        id="tflite-runtime",
        marks=pytest.mark.skipif(int(np.__version__.split(".")[0]) >= 2, reason="tflite-runtime was built for numpy 1"),
    ),
    pytest.param("onnxruntime", "onnxruntime", "onnx", id="onnxruntime"),
]
each_engine = pytest.mark.parametrize(("engine", "package", "format"), ENGINES)


@each_engine
@pytest.mark.parametrize("quantization", ["none", "int8"])
def test_one_engine_is_enough(
    bare: Callable[..., Device],
    files: Mapping[str, Path],
    picture: Callable[..., tuple[Path, str]],
    engine: str,
    package: str,
    format: str,
    quantization: str,
) -> None:
    device, model = bare(package), files[f"{format}-{quantization}"]
    file, label = picture(model)

    code, out, errors, modules = device.run("classify", "--json", "--model", model, file)
    assert (code, errors) == (0, [])
    assert [entry["label"] for entry in json.loads(out)["predictions"]] == [label]
    assert package in modules
    assert _foreign(modules) == set()

    code, out, errors, _ = device.run("selftest", "--json", model)
    report: dict[str, Any] = json.loads(out)
    assert (code, errors) == (0, [])
    assert (report["passed"], report["engine"]) == (True, engine)


@each_engine
def test_without_pillow_a_png_is_refused_with_the_extra_that_reads_it(
    bare: Callable[..., Device],
    files: Mapping[str, Path],
    picture: Callable[..., tuple[Path, str]],
    tmp_path: Path,
    engine: str,
    package: str,
    format: str,
) -> None:
    device, model = bare(package), files[f"{format}-int8"]
    drawn, label = picture(model)
    png = tmp_path / "digit.png"
    with Image.open(drawn) as opened:
        opened.save(png)

    code, out, errors, _ = device.run("classify", "--model", model, png, drawn)

    assert code == 3
    assert out.startswith(f"{drawn}: {label} ")
    assert len(errors) == 1
    assert str(png) in errors[0]
    assert "need Pillow (" in errors[0]


@pytest.mark.parametrize("format", ["tflite", "onnx"])
@pytest.mark.parametrize("command", ["classify", "selftest"])
def test_without_an_engine_each_one_is_named(
    bare: Callable[..., Device],
    files: Mapping[str, Path],
    picture: Callable[..., tuple[Path, str]],
    format: str,
    command: str,
) -> None:
    device, model = bare(), files[f"{format}-int8"]
    arguments: list[str | Path] = ["selftest", model]
    if command == "classify":
        arguments = ["classify", "--model", model, picture(model)[0]]

    code, out, errors, _ = device.run(*arguments)

    assert (code, out, len(errors)) == (4, "", 1)
    for name in registry.names_for(format):
        assert f"{name} is not installed" in errors[0]


def test_without_its_libraries_the_service_names_them(bare: Callable[..., Device]) -> None:
    code, out, errors, _ = bare("ai_edge_litert").run("serve", "--port", "0")

    assert (code, out, len(errors)) == (3, "", 1)
    assert errors[0].startswith("error: serve needs starlette, uvicorn, python-multipart, prometheus-client, segno (")


def test_a_model_can_be_inspected_without_an_engine(bare: Callable[..., Device], model_file: Path) -> None:
    code, out, errors, _ = bare().run("inspect", "--json", model_file)

    assert (code, errors) == (0, [])
    assert json.loads(out)["model"] == str(model_file)


def test_the_doctor_names_every_engine_and_that_there_is_no_pip(bare: Callable[..., Device]) -> None:
    code, out, errors, _ = bare().run("doctor", "--json")

    assert (code, errors) == (4, ["error: no engine here runs model files"])
    for found in (*json.loads(out)["engines"], json.loads(out)["pictures"]):
        assert (found["version"], found["works"]) == (None, False)
        assert "make another bundle on the workstation" in found["fix"]
        assert found["distribution"] in found["fix"]


@pytest.mark.parametrize("cell", ["tflite-int8", "onnx-int8"])
def test_where_everything_is_installed_a_pgm_still_needs_numpy_and_one_engine_only(
    files: Mapping[str, Path], picture: Callable[..., tuple[Path, str]], cell: str
) -> None:
    file, label = picture(files[cell])
    code = START.replace("sys.path.insert(0, sys.argv.pop(1))", "")
    result = subprocess.run(
        [sys.executable, "-c", code, "classify", "--model", files[cell], file],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert result.returncode == 0, result.stderr
    assert f": {label} " in result.stdout
    assert _foreign(json.loads(result.stderr.splitlines()[-1])) == set()
