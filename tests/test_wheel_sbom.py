"""The bill of materials of a wheel: valid, complete, and no hindrance to pip."""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))

import wheel_sbom  # noqa: E402

NAME = "mnist_edge_runtime-0.1.0.dist-info/sboms/mnist-edge-runtime.cdx.json"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the runtime's wheel as its build backend makes it."""
    folder = tmp_path_factory.mktemp("wheel")
    command = ["git", "archive", "--format=tar", "HEAD", "runtime"]
    tree = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout
    subprocess.run(["tar", "-x", "-C", str(folder)], input=tree, check=True)
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    subprocess.run([*build, str(folder / "runtime")], check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture
def wheel(plain: Path, tmp_path: Path) -> Path:
    """Return the same with a bill of materials."""
    copy = tmp_path / plain.name
    copy.write_bytes(plain.read_bytes())
    wheel_sbom.add(copy)
    return copy


def test_it_is_valid_and_names_networks_and_libraries(wheel: Path) -> None:
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    with zipfile.ZipFile(wheel) as archive:
        text = archive.read(NAME).decode()
        networks = {
            name: hashlib.sha256(archive.read(name)).hexdigest()
            for name in archive.namelist()
            if name.startswith("mnist_edge_runtime/models/") and Path(name).suffix in (".tflite", ".onnx", ".mjs")
        }
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    document = json.loads(text)
    listed = {each["bom-ref"]: each for each in document["components"]}
    assert len(networks) == 5
    assert {name: listed[name]["hashes"][0]["content"] for name in networks} == networks
    scopes = {each["name"]: each["scope"] for each in document["components"] if each["type"] == "library"}
    assert (scopes["numpy"], scopes["ai-edge-litert"], scopes["onnxruntime"]) == ("required", "optional", "optional")
    assert document["dependencies"][0]["dependsOn"] == list(listed)
    assert document["metadata"]["component"]["purl"] == "pkg:generic/mnist-edge-runtime@0.1.0"


def test_the_rest_of_the_wheel_is_as_before_and_its_record_is_right(plain: Path, wheel: Path) -> None:
    with zipfile.ZipFile(plain) as before, zipfile.ZipFile(wheel) as after:
        record = next(name for name in before.namelist() if name.endswith("/RECORD"))
        assert set(after.namelist()) - set(before.namelist()) == {NAME}
        same = set(before.namelist()) - {record}
        assert [name for name in same if before.read(name) != after.read(name)] == []
        rows = {row[0]: row[1] for row in csv.reader(after.read(record).decode().splitlines())}
        digests = {name: base64.urlsafe_b64encode(hashlib.sha256(after.read(name)).digest()) for name in rows}
    assert rows.keys() == set(after.namelist())
    assert {name: f"sha256={digest.rstrip(b'=').decode()}" for name, digest in digests.items() if name != record} == {
        name: value for name, value in rows.items() if name != record
    }


def test_pip_installs_it(wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / "installed"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(target)]
    subprocess.run([*pip, str(wheel)], check=True, capture_output=True)
    assert json.loads((target / NAME).read_text())["bomFormat"] == "CycloneDX"


def test_equal_wheels_stay_equal_and_there_is_one(plain: Path, wheel: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.whl"
    again.write_bytes(plain.read_bytes())
    wheel_sbom.add(again)
    assert again.read_bytes() == wheel.read_bytes()
    assert [file.name for file in tmp_path.iterdir() if file.suffix == ".new"] == []
    with pytest.raises(ValueError, match="is there already"):
        wheel_sbom.add(wheel)
