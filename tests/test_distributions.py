"""What the two wheels hold: exactly the product, and no generic name in anybody's site-packages."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from .conftest import tracked

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = {
    "mnist_edge_runtime": ROOT / "runtime" / "mnist_edge_runtime",
    "mnist_edge_trainer": ROOT / "trainer" / "mnist_edge_trainer",
    "mnist_edge_exporters": ROOT / "exporters" / "mnist_edge_exporters",
}

RUNTIME_BYTES = 570_000  # five model files and the pages take half of it


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, zipfile.ZipFile]:
    """Build both from copies of the tracked files, so that no left-over of an earlier build gets in."""
    folder = tmp_path_factory.mktemp("wheels")
    clone = folder / "clone"
    for name in tracked():
        if (ROOT / name).is_file():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            (clone / name).write_bytes((ROOT / name).read_bytes())
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    for project in (clone, clone / "runtime"):
        subprocess.run([*command, str(project)], check=True, capture_output=True)
    return {wheel.name.split("-")[0]: zipfile.ZipFile(wheel) for wheel in folder.glob("*.whl")}


def _names(wheel: zipfile.ZipFile) -> set[str]:
    return {name for name in wheel.namelist() if ".dist-info/" not in name}


def _sources(package: str) -> set[str]:
    """Return all files of a package but the pages of its rooms, which are for readers of the repository."""
    folder = PACKAGES[package]
    return {
        f"{package}/{path.relative_to(folder)}"
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.name != "README.md"
    }


def test_the_wheels_hold_exactly_these_files(wheels: dict[str, zipfile.ZipFile]) -> None:
    assert set(wheels) == {"mnist_edge", "mnist_edge_runtime"}
    workstation = {"mnist_edge/cli.py"} | _sources("mnist_edge_trainer") | _sources("mnist_edge_exporters")
    assert _names(wheels["mnist_edge"]) == workstation
    assert _names(wheels["mnist_edge_runtime"]) == _sources("mnist_edge_runtime")


@pytest.mark.parametrize("name", ["mnist_edge", "mnist_edge_runtime"])
def test_every_wheel_carries_licence_and_types(name: str, wheels: dict[str, zipfile.ZipFile]) -> None:
    names = wheels[name].namelist()
    assert any(path.endswith("licenses/LICENSE") for path in names)
    packages = {path.split("/")[0] for path in _names(wheels[name])} - {"mnist_edge"}
    assert all(f"{package}/py.typed" in names for package in packages)


def _metadata(wheel: zipfile.ZipFile) -> Any:
    (name,) = (path for path in wheel.namelist() if path.endswith("/METADATA"))
    return Parser().parsestr(wheel.read(name).decode())


def test_the_runtime_needs_numpy_alone(wheels: dict[str, zipfile.ZipFile]) -> None:
    metadata = _metadata(wheels["mnist_edge_runtime"])
    required = [need for need in metadata.get_all("Requires-Dist") if "extra ==" not in need]
    assert [need.split(">")[0] for need in required] == ["numpy"]
    assert set(metadata.get_all("Provides-Extra")) == {
        "camera",
        "image",
        "litert",
        "mqtt",
        "onnx",
        "serve",
        "tflite-runtime",
    }
    assert metadata["License-Expression"] == "MIT"


def test_the_runtime_is_small(wheels: dict[str, zipfile.ZipFile]) -> None:
    """Of its networks, page and code; the workstation's wheel is for large disks."""
    name = wheels["mnist_edge_runtime"].filename
    assert name
    assert Path(name).stat().st_size <= RUNTIME_BYTES


def test_both_carry_the_same_version_and_need_each_other_in_it(wheels: dict[str, zipfile.ZipFile]) -> None:
    from mnist_edge_runtime import __version__

    assert {_metadata(wheel)["Version"] for wheel in wheels.values()} == {__version__}
    needs = map(Requirement, _metadata(wheels["mnist_edge"]).get_all("Requires-Dist"))
    assert {str(need.specifier) for need in needs if need.name == "mnist-edge-runtime"} == {f"=={__version__}"}
